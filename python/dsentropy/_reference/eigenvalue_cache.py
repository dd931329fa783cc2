"""Eigenvalues of the reference's operators, kept in a file: read where it exists, else computed and written.

They are rounded to the precision of the file before an entropy is taken, so that the call that writes and the call
that reads agree.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy import _core
from dsentropy._checks.arrays import as_floating_dtype
from dsentropy._checks.scalars import as_path
from dsentropy._reference.operators import ReferenceOperator
from dsentropy._reference.rows import ReferenceRows
from dsentropy.io import eigenvalue_file as _eigenvalue_file
from dsentropy.io.replacing import require_writable


class EigenvalueFile:
    """The file of eigenvalues, if one is named, and its precision."""

    def __init__(self, eigval_save_path: Any, eigval_save_precision: Any) -> None:
        self.path = None if eigval_save_path is None else as_path(eigval_save_path, "eigval_save_path")
        self.precision = as_floating_dtype(eigval_save_precision, "eigval_save_precision")

    def __str__(self) -> str:
        return str(self.path).encode("utf-8", "backslashreplace").decode()  # any name can be printed


def cached_eigenvalues(
    operator: ReferenceOperator,
    rows: ReferenceRows,
    file: EigenvalueFile,
    num_threads: int | None,
    say: Callable[[str], None],
) -> NDArray[np.float64]:
    """Read eigenvalues from the file if it exists; else compute, round and write them."""
    if file.path is not None and os.path.exists(file.path):
        say(f"Loading pre-computed eigenvalues from {file}")
        fingerprint = rows.fingerprint()
        expected = None if fingerprint is None else {**operator.parameters, **fingerprint}
        values = _eigenvalue_file.load(file.path, expected)
        rows.warn_if_cut()
        say("Pre-computed eigenvalues loaded.")
        return values
    used = rows.used()
    if file.path is not None:
        require_writable(file.path, "eigval_save_path")
    say(f"Computing {operator.title} and its eigenvalues.")
    values = _core.eigenvalues(used, "euclidean", operator.spec, num_threads)
    say("Eigenvalues computed.")
    if file.path is None:
        return values
    rounded = _eigenvalue_file.round_to(values * operator.factor, file.precision)
    _eigenvalue_file.save(file.path, rounded, {**operator.parameters, **(rows.fingerprint() or {})})
    say(f"Eigenvalues saved to {file}")
    return rounded.astype(np.float64)
