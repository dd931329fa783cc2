"""
The diffusion time to infinity
==============================

A walk of many steps forgets all but the separate parts of the data. The entropy goes to :math:`\\log_2` of their
number, whatever their sizes, and to 0 where the data are one part.
"""

# %%
# Three blobs far apart, three of very different sizes, and one blob. The bandwidth is one standard deviation of a
# blob.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from dsentropy import SaturationWarning, diffusion_spectrum

warnings.simplefilter("ignore", SaturationWarning)  # an entropy of 0 is what the page is about

rng = np.random.default_rng(0)
TIMES = np.unique(np.geomspace(1, 1e8, 60).round())
centres = 60 * np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]])


def blobs(sizes, centres):
    """Return normal rows of standard deviation 1 around centres."""
    return rng.normal(size=(sum(sizes), 2)) + np.repeat(centres, sizes, axis=0)


sets = {
    "three equal blobs": blobs([300, 300, 300], centres),
    "three of 30, 270 and 600 rows": blobs([30, 270, 600], centres),
    "one blob": blobs([900], centres[:1]),
}
entropies = {name: diffusion_spectrum(rows, bandwidth=1.5).entropy(TIMES) for name, rows in sets.items()}

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for (name, values), style in zip(entropies.items(), ["-", "--", "-."], strict=True):
    ax.semilogx(TIMES, values, style, label=name)
ax.axhline(np.log2(3), color="0.5", linewidth=0.8, linestyle=":")
ax.annotate("log2 3", (1e8, np.log2(3)), ha="right", va="bottom", color="0.4")
ax.set(xlabel="t", ylabel="entropy (bits)", ylim=(-0.1, 5.5))
ax.legend(frameon=False)
plt.show()

# %%
# The eigenvalue 1 occurs once for each part. All others are below 1, and their powers vanish: the entropy of the last
# t is that of k equal eigenvalues, up to rounding.

for name, values in entropies.items():
    print(f"{name}: {values[0]:.2f} bits at t = 1, {values[-1]:.4f} at t = {TIMES[-1]:.0e}")
    assert abs(values[-1] - (0 if name == "one blob" else np.log2(3))) < 1e-6
    assert (np.diff(values) < 1e-9).all()  # no entropy rises with t

# %%
# Blobs that touch
# ----------------
# Nearer blobs are one part of the data after all: a walk gets from one to the other, though rarely. Then
# :math:`\log_2 k` is held for a range of t only. It ends where t reaches the time in which the walk changes its blob,
# :math:`-1 / \ln \lambda_k`, and begins at that of the next eigenvalue, the time in which a blob is forgotten.

near = blobs([300, 300, 300], 9.9 * np.array([[0, 0], [1, 0], [0.5, np.sqrt(3) / 2]]))
spectrum = diffusion_spectrum(near, bandwidth=1.5)
values = spectrum.entropy(TIMES)
lasting = -1 / np.log(np.sort(spectrum.eigenvalues)[::-1][1:4])
figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
ax.semilogx(TIMES, values, label="three blobs, 9.9 standard deviations apart")
ax.axhline(np.log2(3), color="0.5", linewidth=0.8, linestyle=":")
ax.axvspan(lasting[2], lasting[1], color="0.88", label="blobs are forgotten, and not yet changed")
ax.set(xlabel="t", ylabel="entropy (bits)", ylim=(-0.1, 5.5))
ax.legend(frameon=False)
plt.show()

middle = np.sqrt(lasting[1] * lasting[2])
print("times of the eigenvalues 2 to 4:", lasting.round(1))
print(f"{spectrum.entropy(middle):.4f} bits in the middle, {values[-1]:.4f} at the end")

# %%
# In the middle of the shaded range, the geometric mean of its ends, let :math:`m` be its ratio to the earlier one. A
# fourth eigenvalue then has the power :math:`e^{-m}`, and the two below 1 have powers of at least
# :math:`e^{-1/m}`. The plateau is flat where both differ little from 0 and 1.

ratio = middle / lasting[2]
assert ratio > 10
assert abs(spectrum.entropy(middle) - np.log2(3)) < 0.05
assert values[-1] < 1e-3
