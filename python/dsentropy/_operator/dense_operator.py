"""Operators of a Gaussian kernel, by the core or on a device of PyTorch: where the data are decides."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsentropy._core import OperatorSpec
from dsentropy._data.data import Data
from dsentropy._data.device_rows import AnyData
from dsentropy._operator.bandwidth import Bandwidth
from dsentropy._operator.kernel_operator import KernelOperator
from dsentropy._operator.precision import CorePrecision
from dsentropy._operator.slq_options import SlqOptions
from dsentropy._operator.torch_operator import TorchOperator

DenseOperator: TypeAlias = "KernelOperator | TorchOperator"
"""An operator with an entry for each pair of rows."""


def diffusion_operator(
    data: AnyData,
    bandwidth: Bandwidth,
    alpha: float,
    precision: CorePrecision,
    row_weights: NDArray[np.float64] | None = None,
) -> DenseOperator:
    """Make the diffusion operator of data; the precision is that of eigenvalues by the core."""
    return (
        KernelOperator(data, OperatorSpec.diffusion(bandwidth, alpha, precision, row_weights))
        if isinstance(data, Data)
        else TorchOperator(data, bandwidth, alpha, row_weights, precision)
    )


def affinity_operator(data: AnyData, bandwidth: Bandwidth) -> DenseOperator:
    """Make the affinity of data."""
    return (
        KernelOperator(data, OperatorSpec.affinity(bandwidth))
        if isinstance(data, Data)
        else TorchOperator(data, bandwidth, None)
    )


def solves_on_device(operator: DenseOperator) -> bool:
    """Return whether the exact solver computes on a device of PyTorch."""
    return not isinstance(operator, KernelOperator) and operator.solves_on_device


def place_of_eigenvalues(operator: DenseOperator, options: SlqOptions | None) -> dict[str, Any]:
    """Return what parameters of a spectrum say of its eigenvalues where the rows are on a device."""
    return {} if isinstance(operator, KernelOperator) else operator.place_of_eigenvalues(options)
