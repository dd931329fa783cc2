"""The operators of the reference's entropies, with their titles and the fingerprints of their files."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dsentropy._core import OperatorSpec
from dsentropy._operator.precision import CorePrecision
from dsentropy.io import eigenvalue_file as _eigenvalue_file


@dataclass(frozen=True)
class ReferenceOperator:
    """An operator, its title in printed stages, and what its file says of it."""

    title: str
    spec: OperatorSpec
    parameters: _eigenvalue_file.Fingerprint
    factor: float = 1.0
    """The factor of the reference's eigenvalues, which its files hold."""
    is_symmetric: bool = True
    """Whether its spectrum can be estimated."""
    has_single: bool = False
    """Whether ``precision="single"`` plays a part, and was not asked for."""


def diffusion_operator(title: str, sigma: float, precision: CorePrecision) -> ReferenceOperator:
    """Make the diffusion operator K of one bandwidth."""
    parameters: _eigenvalue_file.Fingerprint = {"operator": "diffusion", "gaussian_kernel_sigma": sigma}
    if precision == "single":  # asked for; "auto" stores files in double precision
        parameters["precision"] = precision
    spec = OperatorSpec.diffusion(sigma, 0.0, precision)
    return ReferenceOperator(title, spec, parameters, has_single=precision != "single")


def adjacency_operator(
    sigma: float, anisotropic: bool, knn: int | None, precision: CorePrecision
) -> ReferenceOperator:
    """Make the graph of ``knn`` neighbours where that is given, else K or the affinity G."""
    if knn is not None:
        spec = OperatorSpec.neighbor_graph(knn, None)
        about: _eigenvalue_file.Fingerprint = {"operator": "neighbor_graph", "knn": knn}
        return ReferenceOperator("adjacency matrix", spec, about, is_symmetric=False)
    if anisotropic:
        return diffusion_operator("adjacency matrix", sigma, precision)
    # The affinity of the paper has a factor that no entropy depends on; the file has it, as the reference's has.
    factor = 1 / (sigma * math.sqrt(2 * math.pi))
    parameters: _eigenvalue_file.Fingerprint = {"operator": "affinity", "gaussian_kernel_sigma": sigma}
    return ReferenceOperator("adjacency matrix", OperatorSpec.affinity(sigma), parameters, factor)
