"""
Entropy of a layer against noise
================================

An entropy alone says little: noise has one as well. Here the pixels of handwritten digits and a layer of a trained
network are compared with normal noise of the same mean and covariance, over bandwidths.
"""

# %%
# A small network learns the digits; 300 of them go through its hidden layer.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from dsentropy import (
    SaturationWarning,
    diffusion_spectrum,
    entropy_surface,
    estimate_bandwidth,
    mutual_information,
    suggest_bandwidth,
)
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

images, labels = load_digits(return_X_y=True)
network = MLPClassifier((32,), tol=1e-3, random_state=0).fit(images / 16, labels)
pixels = images[:300] / 16
hidden = np.maximum(pixels @ network.coefs_[0] + network.intercepts_[0], 0)

# %%
# Each bandwidth is a multiple of the median distance, so that the scale of the layer plays no part. Far to the left
# each row is alone, and the entropy is :math:`\log_2 300`; far to the right all rows are alike, and it is 0. Between
# the ends noise has an entropy, too. What belongs to the data is the distance of the two lines.

multiples = np.geomspace(0.1, 3, 13)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
largest, deviations = {}, {}
for ax, (name, rows) in zip(axes, {"pixels": pixels, "hidden layer": hidden}.items(), strict=True):
    bandwidths = multiples * estimate_bandwidth(rows)
    surface = entropy_surface(rows, bandwidths, null="gaussian", n_null=5)
    ax.semilogx(multiples, surface.values[:, 0, 0, 0], "o-", label="data")
    ax.semilogx(multiples, surface.null_mean[:, 0, 0, 0], "--", color="0.4", label="noise of equal covariance")
    ax.axhline(np.log2(300), color="0.7", linewidth=0.8)
    ax.set(title=name, xlabel="bandwidth / median distance")
    largest[name] = surface.structure.max()
    deviations[name] = (surface.structure / surface.z).flat[surface.structure.argmax()]
axes[0].set_ylabel("entropy (bits)")
axes[0].legend(frameon=False)
plt.show()

# %%
# Training has raised what distinguishes the rows from noise. The bandwidth at which it is largest is what
# :func:`dsentropy.suggest_bandwidth` finds.

suggested = suggest_bandwidth(hidden)
print(f"largest structure: pixels {largest['pixels']:.2f} bits, hidden layer {largest['hidden layer']:.2f} bits")
print(f"suggested for the hidden layer: {suggested.multiple:.2f} medians, {suggested.structure:.2f} bits")

# %%
# Is the difference of the two structures more than chance? A draw of noise varies by its standard deviation, which is
# ``structure / z``, and the mean of five draws by a :math:`\sqrt 5`-th of that. Four times this, for both layers
# together, is the error. The difference is larger.

error = sum(4 * deviation / np.sqrt(5) for deviation in deviations.values())
difference = largest["hidden layer"] - largest["pixels"]
assert difference > error
assert abs(suggested.structure - largest["hidden layer"]) < error
print(f"difference {difference:.2f} bits, error {error:.2f} bits")

# %%
# t and the bandwidth
# -------------------
# Of the first 900 digits the entropy is drawn over bandwidths for two diffusion times, and the information about the
# digit. At t = 2 small eigenvalues have little weight, and the curves move to smaller bandwidths.

warnings.simplefilter("ignore", SaturationWarning)  # both ends are part of the figure
few, of_few = images[:900], labels[:900]
median = estimate_bandwidth(few)
FACTORS = [0.25, 0.5, 1, 2]
TIMES = [1, 2]
entropies = np.array([diffusion_spectrum(few, bandwidth=f * median).entropy(TIMES) for f in FACTORS])
information = [mutual_information(few, of_few, t=TIMES, bandwidth=f * median) for f in FACTORS]
values = np.array([one.value for one in information])
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for place, style in enumerate(["o-", "s--"]):
    axes[0].semilogx(FACTORS, entropies[:, place], style, label=f"t = {TIMES[place]}")
    axes[1].semilogx(FACTORS, values[:, place], style, label=f"t = {TIMES[place]}")
axes[0].set(title="entropy", ylabel="bits")
axes[1].set(title="information about the digit", ylabel="bits")
for ax in axes:
    ax.set(xlabel="bandwidth / median distance", ylim=(0, None))
    ax.set_xticks(FACTORS, FACTORS)
    ax.minorticks_off()
axes[0].legend(frameon=False)
plt.show()

# %%
# These numbers were measured before with the same rows, so that an entropy has no tolerance but half of the last
# digit. An information has the random subsets on both sides: four times :math:`\sqrt 2` standard errors of five of
# them, of which 20 are drawn here.

assert round(median, 1) == 48.7
BEFORE = [[9.37, 8.31], [6.83, 2.21], [3.08, 0.21], [1.07, 0.02]]
assert np.abs(entropies - BEFORE).max() < 0.005
BEFORE = [[0.36, 1.23], [1.33, 1.57], [1.03, 0.12], [0.41, 0.01]]
of_five = np.array([one.standard_error for one in information]) * np.sqrt(20 / 5)
print(values.round(2), (4 * np.sqrt(2) * of_five).round(2))
assert (np.abs(values - BEFORE) < 4 * np.sqrt(2) * of_five + 0.005).all()
