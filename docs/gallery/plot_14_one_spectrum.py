"""
Vendi score, RankMe and participation ratio from one spectrum
=============================================================

Several measures of diversity are readings of a spectrum at a t and a Renyi order. Here three of them come from one
:class:`dsentropy.Spectrum`, and two more from the Gaussian kernel, each beside its truth.
"""

# %%
# The rows fill k of 64 dimensions, as normal noise of equal variance.

import matplotlib.pyplot as plt
import numpy as np
from dsentropy import covariance_spectrum, diffusion_spectrum, kernel_spectrum
from scipy.spatial.distance import cdist

N, D = 2000, 64
DIMENSIONS = np.array([1, 2, 4, 8, 16, 32])
rng = np.random.default_rng(0)


def rows_of(k):
    """Return N rows of length 1 that fill k of D dimensions."""
    rows = rng.normal(size=(N, k)) @ np.linalg.qr(rng.normal(size=(D, k)))[0].T
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


sets = {k: rows_of(k) for k in DIMENSIONS}

# %%
# One spectrum, three measures
# ----------------------------
# The second moments :math:`X^T X / N` have the eigenvalues of the kernel :math:`X X^T / N`. Rows are of length 1, so
# this is the kernel of cosine similarities, with a diagonal of ones, of which the Vendi score is made
# (`Friedman & Dieng <https://arxiv.org/abs/2210.02410>`_). The square roots of the eigenvalues are the singular
# values, of which RankMe is made (`Garrido et al. <https://arxiv.org/abs/2210.02885>`_).

readings = {"Vendi score, cosine": [], "RankMe": [], "participation ratio": []}
for rows in sets.values():
    spectrum = covariance_spectrum(rows, center=False)
    readings["Vendi score, cosine"].append(spectrum.effective_rank())
    readings["RankMe"].append(spectrum.effective_rank(t=0.5))
    readings["participation ratio"].append(spectrum.participation_ratio())

# %%
# Each is checked against its definition, written out with NumPy.


def exponential_of_entropy(p):
    """Return e to the Shannon entropy in nats."""
    p = p[p > 1e-14] / p.sum()
    return np.exp(-(p @ np.log(p)))


rows = sets[16]
similarities = np.linalg.eigvalsh(rows @ rows.T / N)
singular = np.linalg.svd(rows, compute_uv=False)
moments = np.square(singular)
place = list(DIMENSIONS).index(16)
assert np.isclose(readings["Vendi score, cosine"][place], exponential_of_entropy(similarities))
assert np.isclose(readings["RankMe"][place], exponential_of_entropy(singular))
assert np.isclose(readings["participation ratio"][place], moments.sum() ** 2 / np.square(moments).sum())

# %%
# All three have the truth k. The sample's eigenvalues differ by their sampling error: their relative variance is
# about :math:`k / N`, so that the participation ratio loses :math:`k^2 / N`. The entropy loses half of that; the
# root halves deviations, and RankMe loses an eighth. The relative variance is a mean of :math:`k` by :math:`k`
# squares, whose own deviation is :math:`\sqrt 2 / N`. It moves the measures by :math:`\sqrt 2 k / N` and less, and
# four of these are the tolerance.

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
ax.loglog(DIMENSIONS, DIMENSIONS, color="0.5", linewidth=1, label="the truth, k")
for (name, values), style in zip(readings.items(), ["o", "s", "^"], strict=True):
    ax.loglog(DIMENSIONS, values, style, markerfacecolor="none", markersize=6 + 2 * "os^".index(style), label=name)
ax.set(xlabel="dimension k of the rows", ylabel="measure")
ax.set_xticks(DIMENSIONS, DIMENSIONS)
ax.set_yticks(DIMENSIONS, DIMENSIONS)
ax.minorticks_off()
ax.legend(frameon=False)
plt.show()

for name, values in readings.items():
    print(f"{name}: {np.round(values, 2)}")
    lost = {"Vendi score, cosine": 1 / 2, "RankMe": 1 / 8, "participation ratio": 1}[name] * DIMENSIONS**2 / N
    assert (np.abs(values - (DIMENSIONS - lost)) < 6 * DIMENSIONS / N).all()

# %%
# The Gaussian kernel
# -------------------
# A linear kernel sees dimensions. The Gaussian kernel sees how many rows are
# apart by more than a bandwidth, which grows exponentially with the dimension. Of normal rows both of its entropies
# are known, for infinitely many rows. In units of the standard deviation, the eigenvalues of the kernel in one
# dimension are a geometric sequence with the ratio
#
# .. math:: B = \frac{b}{a + b + c}, \quad a = \tfrac14, \quad b = \frac{1}{2 \sigma^2}, \quad c = \sqrt{a^2 + 2 a b}
#
# (Rasmussen & Williams, *Gaussian Processes for Machine Learning*, 2006, section 4.3.1), and those of the diffusion
# operator one with the ratio :math:`1 / (1 + \sigma^2)`.

SIGMA = 2.0


def entropy_of_geometric(ratio):
    """Return the entropy in bits of the probabilities (1 - ratio) ratio^n."""
    return -(ratio * np.log2(ratio) + (1 - ratio) * np.log2(1 - ratio)) / (1 - ratio)


a, b = 1 / 4, 1 / (2 * SIGMA**2)
per_dimension = {
    "Vendi score": entropy_of_geometric(b / (a + b + np.sqrt(a**2 + 2 * a * b))),
    "diffusion": entropy_of_geometric(1 / (1 + SIGMA**2)),
}
few = DIMENSIONS[:4]
measured = {"Vendi score": [], "diffusion": []}
for k in few:
    rows = rng.normal(size=(N, k))
    squares = cdist(rows, rows, "sqeuclidean")
    measured["Vendi score"].append(kernel_spectrum(np.exp(-squares / (2 * SIGMA**2))).effective_rank())
    measured["diffusion"].append(diffusion_spectrum(rows, bandwidth=SIGMA).effective_rank())

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for color, style, (name, values) in zip(["C0", "C1"], ["-", "--"], measured.items(), strict=True):
    ax.semilogy(few, 2 ** (few * per_dimension[name]), style, color=color, label=f"{name}, formula")
    ax.semilogy(few, values, "o" if name == "Vendi score" else "s", color=color, label=f"{name}, {N} rows")
ax.set(xlabel="dimension k of the rows", ylabel="2 to the entropy")
ax.legend(frameon=False)
plt.show()

# %%
# Points lie on the lines while the truth is far below the number of rows. The variance of a column is known to
# :math:`\sqrt{2 / N}`, 3%, and an entropy of a column changes by 0.6 bits and less where its variance grows by the
# factor e. Over k columns that makes :math:`0.6 \sqrt{2 k / N}` bits, and four of these are the tolerance. At the
# last k there are 150 states for 2000 rows, too few: the measure is below the formula.

for name, values in measured.items():
    truth = few * per_dimension[name]
    off = np.log2(values) - truth
    print(f"{name}: measured {np.round(values, 2)}, formula {(2**truth).round(2)}")
    assert (np.abs(off) < 4 * 0.6 * np.sqrt(2 * few / N))[:3].all()
    assert off[3] < 0
