"""
Other operators
===============

The entropy of other matrices made of the same rows: two of them see the intrinsic dimension as the diffusion
operator does, one is blind to it, and one falls.
"""

# %%
# The rows are those of :ref:`sphx_glr_auto_gallery_plot_01_intrinsic_dimension.py`: 500 rows of 2048 columns that
# fill d dimensions. The bandwidth is 10.
#
# - diffusion: :math:`K = D^{-1/2} G D^{-1/2}` of the Gaussian affinity :math:`G`;
# - Gaussian adjacency: the eigenvalues of :math:`G` itself;
# - neighbours: the adjacency matrix of the 10 nearest neighbours;
# - entries: no eigenvalues, but the normalised entries of :math:`D^{-1} G`.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from dsentropy import SaturationWarning, adjacency_spectral_entropy, diffusion_spectral_entropy

warnings.simplefilter("ignore", SaturationWarning)  # both ends are part of the figure
N, D = 500, 2048
DIMENSIONS = [102, 307, 614, 1024, 1536, 2048]
rng = np.random.default_rng(0)


def rows_of(d):
    """Return rows that fill d of D dimensions, with weak noise in all of them."""
    rows = np.full((N, D), rng.normal())
    rows[:, :d] = rng.uniform(-1, 1, size=(N, d))
    return rows + 0.01 * rng.uniform(-1, 1, size=(N, D))


operators = {
    "diffusion": lambda rows: diffusion_spectral_entropy(rows),
    "Gaussian adjacency": lambda rows: adjacency_spectral_entropy(rows),
    "10 neighbours": lambda rows: adjacency_spectral_entropy(rows, use_knn=True),
    "entries": lambda rows: diffusion_spectral_entropy(rows, matrix_entry_entropy=True),
}
draws = {name: np.empty((3, len(DIMENSIONS))) for name in operators}
for draw in range(3):
    for place, d in enumerate(DIMENSIONS):
        rows = rows_of(d)
        for name, entropy in operators.items():
            draws[name][draw, place] = entropy(rows)
values = {name: of_draws.mean(axis=0) for name, of_draws in draws.items()}

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for (name, entropies), style in zip(values.items(), ["o-", "x--", "s-.", "^:"], strict=True):
    ax.plot(DIMENSIONS, entropies, style, label=name)
for bits, text in [(np.log2(N), "log2 of the rows"), (2 * np.log2(N), "log2 of the entries")]:
    ax.axhline(bits, color="0.7", linewidth=0.8, zorder=0)
    ax.annotate(text, (102, bits), va="bottom", color="0.4", fontsize="small")
ax.set(xlabel="intrinsic dimension d", ylabel="entropy (bits)", ylim=(0, 20))
ax.legend(frameon=False, loc="lower right")
plt.show()

# %%
# - The adjacency has the diffusion operator's entropy to three digits: all rows have about equal degrees here, so
#   that the normalisation divides by one number. On data of uneven density they differ.
# - Each row has 10 neighbours in any dimension, so the graph of neighbours sees almost nothing of it. It has no
#   scale.
# - Entries fall from :math:`2 \log_2 N`, all affinities equal, to :math:`\log_2 N`, each row alone. This number has
#   the opposite sense to that of eigenvalues.

diffusion, gaussian, neighbours, entries = values.values()
assert np.ptp(diffusion) > 5
assert np.abs(diffusion - gaussian).max() < 0.01
assert np.ptp(neighbours) < 0.1
assert (np.diff(entries) < 0.01).all()

# %%
# The four were measured before on other draws. The difference of two draws has :math:`\sqrt 2` times the standard
# deviation of one, which three draws estimate; the tolerance is four of these, and half of the last digit. Of the
# graph of neighbours both ends are known. Its entropy varies as little from d to d as from draw to draw, so that all
# draws together give the deviation.

BEFORE = {
    "diffusion": [2.97, 6.44, 8.30, 8.86, 8.96, 8.97],
    "Gaussian adjacency": [2.97, 6.44, 8.30, 8.86, 8.96, 8.97],
    "entries": [17.93, 17.93, 17.90, 17.72, 16.49, 13.08],
}
for name, before in BEFORE.items():
    print(f"{name:>18}: {values[name].round(2)}, before {before}")
    tolerance = 4 * np.sqrt(2) * draws[name].std(axis=0, ddof=1) + 0.005
    assert (np.abs(values[name] - before) < tolerance).all()
deviation = draws["10 neighbours"].std(ddof=1)
print(f"     10 neighbours: {neighbours.round(3)}, deviation {deviation:.3f}, before 8.644 to 8.659")
assert np.abs(neighbours[[0, -1]] - [8.644, 8.659]).max() < 4 * np.sqrt(2) * deviation + 0.0005

# %%
# ``dse-dsmi`` has a fifth, the "anisotropic" adjacency. Its matrix is that of the diffusion operator at t = 1, and so
# is its entropy, to the last bit.

rows = rows_of(614)
assert adjacency_spectral_entropy(rows, anisotropic=True) == diffusion_spectral_entropy(rows)
