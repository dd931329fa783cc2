"""Diffusion spectral entropy and mutual information of neural representations.

The measures are those of Liao, Liu et al., "Assessing Neural Network Representations During Training Using
Noise-Resilient Diffusion Spectral Entropy" (arXiv 2312.04823), computed exactly by a compiled core. All entropies
are in bits.

>>> import numpy as np
>>> from dsentropy import diffusion_spectral_entropy, diffusion_spectral_mutual_information
>>> rng = np.random.default_rng(0)
>>> labels = np.repeat([0, 1], 50)
>>> activations = rng.normal(size=(100, 8)) + 30 * labels[:, None]
>>> round(diffusion_spectral_entropy(activations, t=1000), 3)  # two clusters: one bit
1.0
>>> information, clusters = diffusion_spectral_mutual_information(activations, labels, t=1000)
>>> round(information, 2)
1.0
"""

from dsentropy._core import __version__

TYPE_CHECKING = False  # which type checkers take as True, without the time that typing takes

if TYPE_CHECKING:
    from dsentropy._data.neighbors import NeighborWarning, nearest_neighbors
    from dsentropy._data.subsets import SubsetWarning
    from dsentropy._data.target_warning import TargetWarning
    from dsentropy._measures.adjacency import adjacency_spectrum
    from dsentropy._measures.comparison import compare
    from dsentropy._measures.comparison_table import Comparison
    from dsentropy._measures.conditional_information import (
        ConditionalMutualInformation,
        conditional_mutual_information,
    )
    from dsentropy._measures.convergence import Convergence, convergence
    from dsentropy._measures.covariance import covariance_spectrum
    from dsentropy._measures.diffusion import diffusion_spectrum
    from dsentropy._measures.estimated_bandwidth import estimate_bandwidth
    from dsentropy._measures.kernel import kernel_spectrum
    from dsentropy._measures.layer_entropies import layer_entropies
    from dsentropy._measures.layer_table import LayerEntropies
    from dsentropy._measures.mutual_information import MutualInformation, mutual_information
    from dsentropy._measures.null_baseline import NullBaseline, null_baseline
    from dsentropy._measures.population import PopulationInterval, population_interval
    from dsentropy._measures.subsampled import SubsampledEntropy, subsampled_entropy
    from dsentropy._measures.suggested_bandwidth import BandwidthSuggestion, BandwidthWarning, suggest_bandwidth
    from dsentropy._measures.surface import EntropySurface, entropy_surface
    from dsentropy._reference.entropy import adjacency_spectral_entropy, diffusion_spectral_entropy
    from dsentropy._reference.mutual_information import (
        adjacency_spectral_mutual_information,
        diffusion_spectral_mutual_information,
    )
    from dsentropy._spectrum.estimated import EstimatedSpectrum, ToleranceWarning
    from dsentropy._spectrum.saturation import SaturationWarning
    from dsentropy._spectrum.solver import Stochastic
    from dsentropy._spectrum.spectrum import Spectrum
__all__ = [
    "BandwidthSuggestion",
    "BandwidthWarning",
    "Comparison",
    "ConditionalMutualInformation",
    "Convergence",
    "EntropySurface",
    "EstimatedSpectrum",
    "LayerEntropies",
    "MutualInformation",
    "NeighborWarning",
    "NullBaseline",
    "PopulationInterval",
    "SaturationWarning",
    "Spectrum",
    "Stochastic",
    "SubsampledEntropy",
    "SubsetWarning",
    "TargetWarning",
    "ToleranceWarning",
    "__version__",
    "adjacency_spectral_entropy",
    "adjacency_spectral_mutual_information",
    "adjacency_spectrum",
    "compare",
    "conditional_mutual_information",
    "convergence",
    "covariance_spectrum",
    "diffusion_spectral_entropy",
    "diffusion_spectral_mutual_information",
    "diffusion_spectrum",
    "entropy_surface",
    "estimate_bandwidth",
    "kernel_spectrum",
    "layer_entropies",
    "mutual_information",
    "nearest_neighbors",
    "null_baseline",
    "population_interval",
    "subsampled_entropy",
    "suggest_bandwidth",
]

_MODULES = {
    "BandwidthSuggestion": "_measures.suggested_bandwidth",
    "BandwidthWarning": "_measures.suggested_bandwidth",
    "Comparison": "_measures.comparison_table",
    "ConditionalMutualInformation": "_measures.conditional_information",
    "Convergence": "_measures.convergence",
    "EntropySurface": "_measures.surface",
    "EstimatedSpectrum": "_spectrum.estimated",
    "LayerEntropies": "_measures.layer_table",
    "MutualInformation": "_measures.mutual_information",
    "NeighborWarning": "_data.neighbors",
    "NullBaseline": "_measures.null_baseline",
    "PopulationInterval": "_measures.population",
    "SaturationWarning": "_spectrum.saturation",
    "Spectrum": "_spectrum.spectrum",
    "Stochastic": "_spectrum.solver",
    "SubsampledEntropy": "_measures.subsampled",
    "SubsetWarning": "_data.subsets",
    "TargetWarning": "_data.target_warning",
    "ToleranceWarning": "_spectrum.estimated",
    "adjacency_spectral_entropy": "_reference.entropy",
    "adjacency_spectral_mutual_information": "_reference.mutual_information",
    "adjacency_spectrum": "_measures.adjacency",
    "compare": "_measures.comparison",
    "conditional_mutual_information": "_measures.conditional_information",
    "convergence": "_measures.convergence",
    "covariance_spectrum": "_measures.covariance",
    "diffusion_spectral_entropy": "_reference.entropy",
    "diffusion_spectral_mutual_information": "_reference.mutual_information",
    "diffusion_spectrum": "_measures.diffusion",
    "entropy_surface": "_measures.surface",
    "estimate_bandwidth": "_measures.estimated_bandwidth",
    "kernel_spectrum": "_measures.kernel",
    "layer_entropies": "_measures.layer_entropies",
    "mutual_information": "_measures.mutual_information",
    "nearest_neighbors": "_data.neighbors",
    "null_baseline": "_measures.null_baseline",
    "population_interval": "_measures.population",
    "subsampled_entropy": "_measures.subsampled",
    "suggest_bandwidth": "_measures.suggested_bandwidth",
}
"""The module of each public name, which is imported, with NumPy, when the name is first used."""

_PACKAGES = (
    "_checks", "_core", "_data", "_measures", "_operator", "_reference", "_results", "_spectrum", "io", "plotting",
)  # fmt: skip
"""Parts of this package that are attributes of it without an import of their own."""

if not TYPE_CHECKING:  # pragma: no branch

    def __getattr__(name):
        """Import a public name, or a part of the package, when it is first used (PEP 562)."""
        from importlib import import_module

        if name in _MODULES:
            value = getattr(import_module(f"dsentropy.{_MODULES[name]}"), name)
            globals()[name] = value
            return value
        if name in _PACKAGES:
            return import_module(f"dsentropy.{name}")
        raise AttributeError(f"module 'dsentropy' has no attribute {name!r}")

    def __dir__():
        """Return the names of the package, those that were not used yet among them."""
        return sorted({*globals(), *__all__, *_PACKAGES} - {"TYPE_CHECKING"})
