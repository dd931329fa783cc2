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
from dsentropy._data.neighbors import NeighborWarning, nearest_neighbors
from dsentropy._data.subsets import SubsetWarning
from dsentropy._data.target_warning import TargetWarning
from dsentropy._measures.adjacency import adjacency_spectrum
from dsentropy._measures.comparison import Comparison, compare
from dsentropy._measures.conditional_information import ConditionalMutualInformation, conditional_mutual_information
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
