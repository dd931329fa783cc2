"""
The entropy of normal data in closed form
=========================================

Of normally distributed rows the diffusion spectral entropy is known exactly, for infinitely many rows. The page draws
the formula beside the measure, and shows how many rows it takes.
"""

# %%
# A step of the walk goes from a row :math:`x` to a row near it, with the Gaussian affinity of bandwidth
# :math:`\sigma`. Where a column of the rows is normal with standard deviation :math:`s`, the new value is normal with
# mean :math:`r x`, and
#
# .. math:: r = \frac{s^2}{s^2 + \sigma^2}.
#
# So the walk is an autoregression of order 1, whose eigenvalues are :math:`1, r, r^2, \dots` (Mehler). Independent
# columns multiply their eigenvalues, so their entropies add. With :math:`q_i = r_i^t` the probabilities of column
# :math:`i` are a geometric distribution, and with the entropy :math:`h` of a coin
#
# .. math:: S = \sum_i \frac{h(q_i)}{1 - q_i}.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from dsentropy import SaturationWarning, diffusion_spectrum

warnings.simplefilter("ignore", SaturationWarning)  # both ends are part of the figure


def closed_form(deviations, sigma, t=1):
    """Return the entropy in bits of normal rows with these standard deviations, for infinitely many rows."""
    q = (np.square(deviations) / (np.square(deviations) + sigma**2)) ** t
    return float(np.sum(-(q * np.log2(q) + (1 - q) * np.log2(1 - q)) / (1 - q)))


assert closed_form([1.0], sigma=1.0) == 2  # r = 1/2: one bit, twice

# %%
# Three clouds of 1000 rows, at bandwidths from a half to eight standard deviations. The entropy of 1000 rows is at
# most :math:`\log_2 1000`, about 10 bits. Far below that ceiling, dots lie on the lines. At half a standard deviation
# even one column is not there: its eigenvectors from the tenth on belong to the tails, which have few rows.

N = 1000
sigmas = np.geomspace(0.5, 8, 9)
rng = np.random.default_rng(0)
clouds = {1: rng.normal(size=(N, 1)), 5: rng.normal(size=(N, 5)), 20: rng.normal(size=(N, 20))}
figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for color, style, (D, rows) in zip(["C0", "C1", "C2"], ["-", "--", "-."], clouds.items(), strict=True):
    measured = [diffusion_spectrum(rows, bandwidth=sigma).entropy() for sigma in sigmas]
    fine = np.geomspace(0.5, 8, 100)
    ax.plot(fine, [closed_form(np.ones(D), sigma) for sigma in fine], style, color=color, label=f"D = {D}, formula")
    ax.plot(sigmas, measured, "o", color=color, label=f"D = {D}, {N} rows")
ax.axhline(np.log2(N), color="0.5", linewidth=0.8, linestyle=":")
ax.annotate("log2 of the rows", (8, np.log2(N)), ha="right", va="bottom", color="0.4", fontsize="small")
ax.set(xscale="log", xlabel="bandwidth (standard deviations)", ylabel="entropy (bits)", ylim=(0, 12))
ax.set_xticks([0.5, 1, 2, 4, 8], ["0.5", "1", "2", "4", "8"])
ax.minorticks_off()
figure.legend(loc="outside upper center", frameon=False, fontsize="small", ncols=3)
plt.show()

# %%
# How many rows does it take?
# ---------------------------
# An entropy :math:`S` means :math:`2^S` states, and each
# needs many rows. The formula gives 8.3 bits for 102 columns at the bandwidth 10, which is 300 states. Of 500 rows
# two bits are missing.

cases = {"D = 5, bandwidth 4": (5, 4.0), "D = 20, bandwidth 10": (20, 10.0), "D = 102, bandwidth 10": (102, 10.0)}
SIZES = np.array([125, 250, 500, 1000, 2000])
DRAWS = 8
measured = {
    name: np.array(
        [
            [diffusion_spectrum(rng.normal(size=(n, D)), bandwidth=sigma).entropy() for _ in range(DRAWS)]
            for n in SIZES
        ]
    )
    for name, (D, sigma) in cases.items()
}
figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for place, (name, (D, sigma)) in enumerate(cases.items()):
    color, style = f"C{place}", ["-", "--", "-."][place]
    ax.axhline(closed_form(np.ones(D), sigma), color=color, linestyle=style, label=f"{name}, formula")
    ax.plot(SIZES, measured[name].mean(axis=1), "o", color=color)
ax.plot(SIZES, np.log2(SIZES), ":", color="0.5", label="log2 of the rows")
ax.set(xscale="log", xlabel="rows", ylabel="entropy (bits)", ylim=(0, 14))
ax.set_xticks(SIZES, SIZES)
ax.minorticks_off()
ax.legend(frameon=False, fontsize="small", ncols=2)
plt.show()

# %%
# The error of N rows is proportional to 1 / N where N is large, so that twice the entropy of 2000 rows less that of
# 1000 is free of it. What remains is sampling: the tolerance is four standard errors of the mean over the draws.
# Where the rows are too few this fails, and so does the first statement.

for name, (D, sigma) in cases.items():
    truth, mean = closed_form(np.ones(D), sigma), measured[name].mean(axis=1)
    error = measured[name].std(axis=1, ddof=1) / np.sqrt(DRAWS)
    without_bias, its_error = 2 * mean[-1] - mean[-2], np.hypot(2 * error[-1], error[-2])
    print(f"{name}: formula {truth:.3f}, of {SIZES} rows {mean.round(3)}")
    if 2**truth < SIZES[-1] / 100:
        assert abs(without_bias - truth) < 4 * its_error
        assert abs(mean[-1] / truth - 1) < 0.02
    else:
        assert mean[-1] < truth - 1

# %%
# Single draws of 1000 rows, and of 500 in 102 columns, were measured before. A draw differs from the mean by its
# standard deviation, and the mean of eight from the truth by less; the tolerance is four standard deviations of the
# difference, and half of the last digit. The formula itself has no tolerance.

assert round(closed_form([1.0], sigma=2.0), 4) == 0.9024
assert round(closed_form(np.ones(5), sigma=4.0), 4) == 1.7146
assert round(closed_form(np.ones(20), sigma=10.0), 4) == 1.6187
assert round(closed_form(np.ones(102), sigma=10.0), 2) == 8.26
one_column = [diffusion_spectrum(rng.normal(size=(1000, 1)), bandwidth=2.0).entropy() for _ in range(DRAWS)]
for name, of_draws, before, last_digit in [
    ("D = 1, bandwidth 2, 1000 rows", one_column, 0.9025, 1e-4),
    ("D = 5, bandwidth 4, 1000 rows", measured["D = 5, bandwidth 4"][3], 1.7045, 1e-4),
    ("D = 20, bandwidth 10, 1000 rows", measured["D = 20, bandwidth 10"][3], 1.5945, 1e-4),
    ("D = 102, bandwidth 10, 500 rows", measured["D = 102, bandwidth 10"][2], 6.12, 0.01),
]:
    mean, tolerance = np.mean(of_draws), 4 * np.std(of_draws, ddof=1) * np.sqrt(1 + 1 / DRAWS) + last_digit / 2
    print(f"{name}: {mean:.4f} bits, before {before}, tolerance {tolerance:.4f}")
    assert abs(mean - before) < tolerance
