"""
Entropy of a layer against noise
================================

An entropy alone says little: noise has one as well. Here the pixels of handwritten digits and a layer of a trained
network are compared with normal noise of the same mean and covariance, over bandwidths.
"""

# %%
# A small network learns the digits; 300 of them go through its hidden layer.

import matplotlib.pyplot as plt
import numpy as np
from dsentropy import entropy_surface, estimate_bandwidth, suggest_bandwidth
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
# Draws of noise have the standard deviation ``structure / z``. Their mean over five draws is known to four standard
# errors, and the difference of the two structures is larger than both errors together: it is not one of the draws.

error = sum(4 * deviation / np.sqrt(5) for deviation in deviations.values())
difference = largest["hidden layer"] - largest["pixels"]
assert difference > error
assert abs(suggested.structure - largest["hidden layer"]) < error
print(f"difference {difference:.2f} bits, error {error:.2f} bits")
