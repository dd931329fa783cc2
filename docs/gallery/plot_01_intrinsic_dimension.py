"""
Entropy against intrinsic dimension, and what noise does
========================================================

The diffusion spectral entropy rises with the number of dimensions that rows fill. At t = 1 it counts noise as well.
At t = 2 noise has little weight, where rows are many. A formula says how much.
"""

# %%
# The set-up is that of the paper (`Liao, Liu et al. 2023 <https://arxiv.org/abs/2312.04823>`_): 500 rows of 2048
# columns. The first :math:`d` columns are uniform on :math:`[-1, 1]`, all other columns are one constant. Noise
# uniform on :math:`[-e, e]` is added to every column. The bandwidth is 10, and there are three draws of each kind.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from dsentropy import SaturationWarning, Spectrum, diffusion_spectral_entropy, diffusion_spectrum
from sklearn.datasets import make_spd_matrix

warnings.simplefilter("ignore", SaturationWarning)  # both ends are part of the figure
N, D, SIGMA = 500, 2048, 10.0
DIMENSIONS = np.linspace(102, D, 20).astype(int)[[0, 1, 2, 3, 5, 9, 12, 14, 19]]  # some of the paper's
NOISE = [0.01, 0.1, 0.5]
TIMES = [1, 2, 5]
DRAWS = 3


def uniform(rng, size):
    """Return numbers that are uniform from -1 to 1."""
    return rng.uniform(-1, 1, size=size)


def normal(rng, size):
    """Return standard normal numbers."""
    return rng.normal(size=size)


def rows_of(d, e, rng, n=N, law=uniform):
    """Return n rows that fill d of D dimensions, with noise of amplitude e in all of them."""
    rows = np.full((n, D), rng.normal())
    rows[:, :d] = law(rng, (n, d))
    return rows + e * rng.uniform(-1, 1, size=(n, D))


def measured(e, law=uniform):
    """Return entropies by draw, dimension and t."""
    return np.array(
        [
            [diffusion_spectrum(rows_of(d, e, rng, law=law), bandwidth=SIGMA).entropy(TIMES) for d in DIMENSIONS]
            for _ in range(DRAWS)
        ]
    )


rng = np.random.default_rng(0)
draws = {e: measured(e) for e in NOISE}
values = np.array([draws[e].mean(axis=0) for e in NOISE])  # noise, dimensions, times
binned = [diffusion_spectral_entropy(rows_of(d, 0.1, rng), classic_shannon_entropy=True) for d in DIMENSIONS]

# %%
# What is the truth? Of *normal* rows with the same variances the entropy is known for infinitely many rows
# (:ref:`sphx_glr_auto_gallery_plot_06_closed_form.py`): a column of variance :math:`v` adds
# :math:`h(q) / (1 - q)` with :math:`q = (v / (v + \sigma^2))^t`. It is the dotted line, as far as 500 rows can show
# it: their entropy is at most :math:`\log_2 500`.


def bits_of_columns(n_columns, variance, t):
    """Return the entropy of independent normal columns of one variance."""
    q = (variance / (variance + SIGMA**2)) ** t
    return -n_columns * (q * np.log2(q) + (1 - q) * np.log2(1 - q)) / (1 - q)


figure, axes = plt.subplots(1, 3, figsize=(11, 4), sharey=True, layout="constrained")
for place, (ax, t) in enumerate(zip(axes, TIMES, strict=True)):
    for line, e in enumerate(NOISE):
        ax.plot(DIMENSIONS, values[line, :, place], ["o-", "s--", "^-."][line], label=f"noise of amplitude {e:g}")
    d = np.linspace(102, D, 100)
    ax.plot(d, np.minimum(bits_of_columns(d, 1 / 3, t), np.log2(N)), ":", color="0.3", label="formula, without noise")
    ax.plot(DIMENSIONS, binned, "x", color="0.5", label="binned rows, log2 500")
    ax.set(title=f"t = {t}", xlabel="intrinsic dimension d", ylim=(0, 9.5))
axes[0].set_ylabel("entropy (bits)")
axes[0].legend(frameon=False, fontsize="small", loc="lower right")
plt.show()

# %%
# - The entropy rises with :math:`d`. The classic entropy of binned rows does not: with two bins a column, each of the
#   500 rows has a bin of its own, whatever the data are.
# - These are the curves of the paper. Its values are read off its picture, which shows other draws. The difference of
#   two draws has :math:`\sqrt 2` times the standard deviation of one, which three draws estimate. The tolerance is
#   four of these, and half of the last digit.
# - At t = 5 the entropy leaves 0 near 1300 dimensions only, as in the paper.


def compared(name, of_draws, of_paper):
    """Print the mean of the draws beside the paper's values, and compare them."""
    mean, tolerance = of_draws.mean(axis=0), 4 * np.sqrt(2) * of_draws.std(axis=0, ddof=1) + 0.005
    print(f"{name}: {mean.round(2)}, in the paper {of_paper}")
    assert (np.abs(mean - of_paper) < tolerance).all()


compared("t = 1, noise 0.01, d = 102, 204, 306, 2048", draws[0.01][:, [0, 1, 2, -1], 0], [2.98, 5.06, 6.45, 8.96])
for e, at_one, at_two in [(0.01, 2.98, 0.02), (0.1, 3.55, np.nan), (0.5, 8.33, 1.15)]:
    compared(f"t = 1, noise {e}, d = 102", draws[e][:, 0, 0], at_one)
    if np.isfinite(at_two):
        compared(f"t = 2, noise {e}, d = 102", draws[e][:, 0, 1], at_two)
assert (np.diff(values[0], axis=0) > -0.01).all()
leaves = DIMENSIONS[values[0, :, 2] > 0.1][0]
print(f"t = 5, noise 0.01: above 0.1 bits from d = {leaves} on")
assert 1024 < leaves <= 1331 + 102  # a step of the paper's dimensions
assert np.allclose(binned, np.log2(N))  # 8.966 in the paper

# %%
# The formula is for infinitely many rows. At t = 2 it has less than half a bit for all of 2048 dimensions, and the
# measure 9 bits. The reason is the number of rows: at :math:`d = 1024` two rows are so far apart that each of the
# 500 is nearly alone, and a walk that stays at its row for one step also stays for two.
#
# What noise adds
# ---------------
# The paper calls the entropy resilient to noise. At t = 1, which it uses for
# networks, that holds for weak noise only: amplitude 0.5 lifts the entropy at :math:`d = 102` from 3 to 8.3 bits,
# near the ceiling. The formula shows why: noise of amplitude :math:`e` has the variance :math:`e^2 / 3` in each of
# 2048 columns, and many small eigenvalues add up. At t = 2 they are squared, and of the noise 0.03 bits are left,
# but again for many rows: of 500 rows it is 1.1 bits.

SIZES = [500, 1000, 2000, 4000]
noisy = np.array([diffusion_spectrum(rows_of(102, 0.5, rng, n), bandwidth=SIGMA).entropy(TIMES[:2]) for n in SIZES])
limits = [bits_of_columns(102, 1 / 3 + 0.5**2 / 3, t) + bits_of_columns(D - 102, 0.5**2 / 3, t) for t in TIMES[:2]]
amplitudes = np.geomspace(0.01, 1, 50)
figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for t, style in [(1, "-"), (2, "--"), (3, "-.")]:
    axes[0].loglog(amplitudes, bits_of_columns(D, amplitudes**2 / 3, t), style, label=f"t = {t}")
axes[0].axhline(np.log2(N), color="0.5", linewidth=0.8, linestyle=":")
axes[0].annotate("log2 of 500 rows", (0.011, np.log2(N)), va="bottom", color="0.4")
axes[0].set(title="by the formula", xlabel="amplitude of the noise", ylabel="bits that noise adds", ylim=(1e-6, 200))
axes[0].legend(frameon=False)
axes[1].plot(SIZES, noisy[:, 0], "o-", label="t = 1")
axes[1].plot(SIZES, noisy[:, 1], "s--", label="t = 2")
axes[1].plot(SIZES, np.log2(SIZES), ":", color="0.5", label="log2 of the rows")
axes[1].axhline(limits[1], color="C1", linewidth=1, linestyle=":", label="formula, t = 2")
axes[1].set(title="d = 102, amplitude 0.5", xlabel="rows", ylabel="entropy (bits)", ylim=(0, 15))
axes[1].legend(frameon=False, ncols=2)
plt.show()

added = {t: bits_of_columns(D, np.square(NOISE) / 3, t).round(4) for t in TIMES[:2]}
print(f"noise of amplitude {NOISE} adds, by the formula: {added}")
print(f"amplitude 0.5, t = 2, {SIZES} rows: {noisy[:, 1].round(2)}, by the formula {limits[1]:.2f}")
assert (np.abs(added[1] - [0.02, 1.1, 19.9]) < [0.005, 0.05, 0.05]).all()  # half of the last digit
assert (np.abs(added[2] - [0, 0.0001, 0.03]) < [5e-5, 5e-5, 5e-3]).all()
assert (np.diff(noisy[:, 1]) < 0).all()
assert (np.diff(noisy[:, 0]) > 0).all()

# %%
# A bandwidth that follows the data
# ---------------------------------
# Distances grow with :math:`d`, and the bandwidth 10 does not. How much of the rise is the growing distance? With the
# median distance as the bandwidth the entropy rises by half a bit, not by six.

following = np.array(
    [
        [diffusion_spectrum(rows_of(d, 0.01, rng), bandwidth="median").entropy() for d in [102, D]]
        for _ in range(DRAWS)
    ]
)
compared("at the median distance, d = 102 and 2048", following, [3.95, 4.45])
assert (following[:, 1] > following[:, 0]).all()
assert values[0, -1, 0] - values[0, 0, 0] > 5

# %%
# Normal rows
# -----------
# Normal columns have three times the variance of uniform ones. So the entropy starts higher, and at the bandwidth 10
# it has reached its ceiling at t = 1 by :math:`d = 500`.

gaussian = measured(0.01, normal)
figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for place, (t, style) in enumerate(zip(TIMES, ["o-", "s--", "^-."], strict=True)):
    ax.plot(DIMENSIONS, gaussian[:, :, place].mean(axis=0), style, label=f"normal, t = {t}")
ax.plot(DIMENSIONS, values[0, :, 0], ":", color="0.3", label="uniform, t = 1")
ax.axhline(np.log2(N), color="0.7", linewidth=0.8, zorder=0)
ax.set(xlabel="intrinsic dimension d", ylabel="entropy (bits)", ylim=(0, 9.5))
ax.legend(frameon=False)
plt.show()

compared("normal, t = 1, d = 102", gaussian[:, 0, 0], 6.12)
compared("normal, t = 2, d = 102, 204, 306, 409", gaussian[:, :4, 1], [0.22, 1.26, 4.85, 8.16])
assert (gaussian[:, DIMENSIONS > 500, 0] > np.log2(N) - 0.02).all()

# %%
# A matrix between two
# --------------------
# The paper's third panel needs no rows: the entropy of the eigenvalues of :math:`a I + (1 - a) M`, with a random
# positive definite M of scikit-learn's. From :math:`a = 0` to 1 it rises to :math:`\log_2 n`, and nearly on a line.

PARTS = np.linspace(0, 1, 20)


def between(n, seed):
    """Return the entropies from a random matrix to the identity."""
    eigenvalues = np.linalg.eigvalsh(make_spd_matrix(n, random_state=seed))
    return [Spectrum(a + (1 - a) * eigenvalues).entropy() for a in PARTS]


figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for n, start, style in [(64, 2.83, "o-"), (512, 3.78, "s--"), (1024, 4.19, "^-.")]:
    of_matrices = np.array([between(n, seed) for seed in range(DRAWS)])
    ax.plot(PARTS, of_matrices[0], style, markersize=4, label=f"n = {n}")
    compared(f"n = {n}, a = 0", of_matrices[:, 0], start)
    assert np.allclose(of_matrices[:, -1], np.log2(n))
    assert (np.diff(of_matrices) > 0).all()
    assert np.corrcoef(PARTS, of_matrices[0])[0, 1] > 0.99
ax.set(xlabel="part a of the identity", ylabel="entropy (bits)", ylim=(0, 10.5))
ax.legend(frameon=False)
plt.show()
