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
values = {name: [] for name in operators}
for d in DIMENSIONS:
    rows = rows_of(d)
    for name, entropy in operators.items():
        values[name].append(entropy(rows))

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

for name, entropies in values.items():
    print(f"{name:>18}: {np.round(entropies, 2)}")
diffusion, gaussian, neighbours, entries = (np.array(one) for one in values.values())
assert np.ptp(diffusion) > 5
assert np.abs(diffusion - gaussian).max() < 0.01
assert np.ptp(neighbours) < 0.1
assert (np.diff(entries) < 0.01).all()
assert 2 * np.log2(N) >= entries[0] > 17.5
