"""
Entropy of a random subset
==========================

Entropies grow with the number of rows. At t = 1 a tenth of the rows has up to 0.8 bits less; from t = 2 on a tenth is
nearly as good as all.
"""

# %%
# Trees of three branches, random walks of 500 uniform steps each, in 2 to 30 dimensions; the bandwidth is 10. The
# paper has 2000 rows a branch, and concludes that a subset will do.

import matplotlib.pyplot as plt
import numpy as np
from dsentropy import diffusion_spectrum, subsampled_entropy

BRANCH, SIGMA = 500, 10.0
DIMENSIONS = [2, 5, 10, 20, 30]
PARTS = [0.5, 0.3, 0.1]
TIMES = [1, 2, 3, 5]


def tree(D):
    """Return the rows of a tree of three branches: walks, two of which start at a random row of the first."""
    rng = np.random.default_rng(0)
    walks = rng.uniform(-1, 1, size=(3, BRANCH, D)).cumsum(axis=1)
    walks[1:] += walks[0, rng.integers(BRANCH, size=2)][:, None]
    return walks.reshape(-1, D)


whole, parts, deviations = [], [], []
for D in DIMENSIONS:
    rows = tree(D)
    whole.append(diffusion_spectrum(rows, bandwidth=SIGMA).entropy(TIMES))
    found = [
        subsampled_entropy(rows, n_samples=round(part * len(rows)), n_repeats=5, t=TIMES, bandwidth=SIGMA)
        for part in PARTS
    ]
    parts.append([one.mean for one in found])
    deviations.append([one.standard_deviation for one in found])
whole, parts, deviations = np.array(whole), np.array(parts), np.array(deviations)

figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for place, ax in enumerate(axes):
    ax.plot(DIMENSIONS, whole[:, place], "ko-", label="all 1500 rows")
    for part, style, values in zip(PARTS, ["s--", "^-.", "v:"], parts.swapaxes(0, 1), strict=True):
        ax.plot(DIMENSIONS, values[:, place], style, label=f"{part:.0%}")
    ax.set(title=f"t = {TIMES[place]}", xlabel="dimensions", ylim=(0, None))
axes[0].set_ylabel("entropy (bits)")
axes[0].legend(frameon=False, loc="lower right")
plt.show()

# %%
# Why t = 2? The entropy at t = 1 has many small eigenvalues, of which a sample of n rows has at most n. Powers leave
# the large ones, which few rows already have. The rule of thumb: :math:`2^S` has to be far below the number of rows
# that are drawn. In 30 dimensions it is 130 states at t = 1, for 150 rows.
#
# What is a small change? One that cannot be seen in one draw: less than three standard deviations of a subset. At t
# = 1 the mean of the five subsets is farther from all rows than that.

lost = whole[:, None] - parts  # dimensions, parts, times
for place, t in enumerate(TIMES):
    print(f"t = {t}: largest change at 50, 30, 10%: {np.abs(lost[:, :, place]).max(axis=0).round(2)} bits")
assert lost[-1, 2, 0] > 3 * deviations[-1, 2, 0]  # a tenth of the rows, t = 1, 30 dimensions
assert (np.abs(lost[:, :, 1:]) < 3 * deviations[:, :, 1:]).all()  # t = 2 and more

# %%
# The largest changes over the dimensions were measured before, with other random numbers. A change is the mean of
# subsets, five here and three there, whose standard errors are :math:`s / \sqrt 5` and :math:`s / \sqrt 3` for a
# standard deviation s of one subset. The tolerance is four of the two together, and half of the last digit.

BEFORE = {1: [0.13, 0.28, 0.87], 2: [0.01, 0.04, 0.07], 3: [0.01, 0.04, 0.05], 5: [0.02, 0.04, 0.06]}
for place, t in enumerate(TIMES):
    change, deviation = np.abs(lost[:, :, place]).max(axis=0), deviations[:, :, place].max(axis=0)
    tolerance = 4 * deviation * np.sqrt(1 / 5 + 1 / 3) + 0.005
    print(f"t = {t}: {change.round(2)}, before {BEFORE[t]}, tolerance {tolerance.round(2)}")
    assert (np.abs(change - BEFORE[t]) < tolerance).all()

# %%
# So the paper's conclusion holds from t = 2 on. At t = 1, which it uses for networks, compare sets of equally many
# rows: :func:`dsentropy.subsampled_entropy` and :func:`dsentropy.compare` do.
