"""Pictures of spectra and of entropies: arrays in, axes of matplotlib out.

The methods ``plot`` of the results, such as :meth:`dsentropy.Spectrum.plot`, call these functions, which take plain
arrays and so draw spectra and entropies from anywhere. matplotlib is imported when a function is called:
``pip install 'dsentropy[plot]'``.
"""

from dsentropy.plotting._against_t import information, subsampled
from dsentropy.plotting._clusters import clusters
from dsentropy.plotting._convergence import convergence
from dsentropy.plotting._differences import differences
from dsentropy.plotting._layers import layers
from dsentropy.plotting._maps import surface_map, training_map
from dsentropy.plotting._null import null_baseline, structure
from dsentropy.plotting._spectra import estimate, spectrum
from dsentropy.plotting._surface import surface
from dsentropy.plotting._training import profile, training

__all__ = [
    "clusters",
    "convergence",
    "differences",
    "estimate",
    "information",
    "layers",
    "null_baseline",
    "profile",
    "spectrum",
    "structure",
    "subsampled",
    "surface",
    "surface_map",
    "training",
    "training_map",
]
