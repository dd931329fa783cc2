"""
Entropy against intrinsic dimension, and what noise does
========================================================

The diffusion spectral entropy rises with the number of dimensions that rows fill. At t = 1 it counts noise as well.
At t = 2 noise has little weight, where rows are many. A formula says how much.
"""

# %%
# The set-up is that of the paper (`Liao, Liu et al. 2023 <https://arxiv.org/abs/2312.04823>`_): 500 rows of 2048
# columns. The first :math:`d` columns are uniform on :math:`[-1, 1]`, all other columns are one constant. Noise
# uniform on :math:`[-e, e]` is added to every column. The bandwidth is 10.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from dsentropy import SaturationWarning, diffusion_spectral_entropy, diffusion_spectrum

warnings.simplefilter("ignore", SaturationWarning)  # both ends are part of the figure
N, D, SIGMA = 500, 2048, 10.0
DIMENSIONS = [102, 307, 614, 1024, 1536, 2048]
NOISE = [0.01, 0.1, 0.5]
TIMES = [1, 2]


def rows_of(d, e, rng, n=N):
    """Return n rows that fill d of D dimensions, with noise of amplitude e in all of them."""
    rows = np.full((n, D), rng.normal())
    rows[:, :d] = rng.uniform(-1, 1, size=(n, d))
    return rows + e * rng.uniform(-1, 1, size=(n, D))


rng = np.random.default_rng(0)
values = np.array(
    [[diffusion_spectrum(rows_of(d, e, rng), bandwidth=SIGMA).entropy(TIMES) for d in DIMENSIONS] for e in NOISE]
)
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


figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
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
# - These are the curves of the paper. Read off its picture they start, at :math:`d = 102`, at 2.98 bits, and at 8.33
#   with noise of amplitude 0.5. A picture can be read to about 0.1 bits.

print("t = 1, d = 102:", values[:, 0, 0].round(2), "bits; t = 2:", values[:, 0, 1].round(2))
assert (np.diff(values[0], axis=0) > -0.01).all()
assert abs(values[0, 0, 0] - 2.98) < 0.1
assert abs(values[2, 0, 0] - 8.33) < 0.1
assert np.allclose(binned, np.log2(N))

# %%
# - The formula is for infinitely many rows. At t = 2 it has less than half a bit for all of 2048 dimensions, and the
#   measure 9 bits. The reason is the number of rows: at :math:`d = 1024` two rows are so far apart that each of the
#   500 is nearly alone, and a walk that stays at its row for one step also stays for two.
#
# What noise adds
# ---------------
# The paper calls the entropy resilient to noise. At t = 1, which it uses for
# networks, that holds for weak noise only: amplitude 0.5 lifts the entropy at :math:`d = 102` from 3 to 8.3 bits,
# near the ceiling. The formula shows why: noise of amplitude :math:`e` has the variance :math:`e^2 / 3` in each of
# 2048 columns, and many small eigenvalues add up. At t = 2 they are squared, and of the noise 0.03 bits are left,
# but again for many rows: of 500 rows it is 1.1 bits.

SIZES = [500, 1000, 2000, 4000]
noisy = np.array([diffusion_spectrum(rows_of(102, 0.5, rng, n), bandwidth=SIGMA).entropy(TIMES) for n in SIZES])
limits = [bits_of_columns(102, 1 / 3 + 0.5**2 / 3, t) + bits_of_columns(D - 102, 0.5**2 / 3, t) for t in TIMES]
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

added = {t: bits_of_columns(D, np.square(NOISE) / 3, t).round(4) for t in TIMES}
print(f"noise of amplitude {NOISE} adds, by the formula: {added}")
print(f"amplitude 0.5, t = 2, {SIZES} rows: {noisy[:, 1].round(2)}, by the formula {limits[1]:.2f}")
assert np.allclose(added[1], [0.02, 1.1, 19.9], atol=0.1)
assert (added[2] < 0.05).all()
assert (np.diff(noisy[:, 1]) < 0).all()
assert (np.diff(noisy[:, 0]) > 0).all()

# %%
# A bandwidth that follows the data
# ---------------------------------
# Distances grow with :math:`d`, and the bandwidth 10 does not. How much of the rise is the growing distance? With the
# median distance as the bandwidth the entropy rises by half a bit, not by six.

following = [diffusion_spectrum(rows_of(d, 0.01, rng), bandwidth="median").entropy() for d in DIMENSIONS]
print("at the median distance:", np.round(following, 2))
assert 0.2 < following[-1] - following[0] < 1
assert values[0, -1, 0] - values[0, 0, 0] > 5
