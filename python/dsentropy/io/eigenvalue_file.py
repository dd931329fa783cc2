"""The eigenvalue file: one ``.npz`` that the reference can read, with a fingerprint of where it comes from.

``eigvals`` holds the eigenvalues (moduli, for the graph of nearest neighbours) in the precision asked for.
``fingerprint`` holds, as JSON, a digest of the data and every parameter that shapes the spectrum, and ``checksum``
that of both arrays (:mod:`dsentropy.io.npz`). The reference writes neither and ignores ours.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsentropy.io import npz

Fingerprint: TypeAlias = "dict[str, str | int | float | None]"
"""A digest of the data, and every parameter that shapes the spectrum."""


def round_to(eigenvalues: NDArray[np.float64], precision: np.dtype[Any]) -> NDArray[Any]:
    """Round eigenvalues to the precision of the file.

    Where the largest leaves the precision's range, all are multiplied by a power of two, which no measure sees.
    """
    limits = np.finfo(precision)
    largest = np.abs(eigenvalues).max()
    if largest > 0 and not float(limits.tiny) / float(limits.eps) <= largest <= float(limits.max) / 2:
        _, exponent = np.frexp(largest)
        eigenvalues = np.ldexp(eigenvalues, -exponent)
    with np.errstate(under="ignore"):
        return eigenvalues.astype(precision)


def save(path: str, eigenvalues: NDArray[Any], fingerprint: Fingerprint) -> None:
    """Write eigenvalues and a fingerprint under exactly this name."""
    import json

    npz.write(path, eigvals=eigenvalues, fingerprint=np.array(json.dumps(fingerprint)))


def load(path: str, expected: Fingerprint | None) -> NDArray[np.float64]:
    """Read moduli of eigenvalues, from a file of this package or of the reference.

    Parameters
    ----------
    path : str
    expected : dict or None
        What the fingerprint must be, if the file has one. None: the data are not known.

    Raises
    ------
    ValueError
        For a file that is no eigenvalue file, and for one whose fingerprint differs; both name the file.
    """
    error_text = f"eigval_save_path: {path!r} is not a whole eigenvalue file"
    stored, fingerprint = npz.read(path, _parsed, error_text)
    if stored.dtype.kind not in "fciu" or stored.ndim != 1 or stored.size == 0:
        raise ValueError(f"{error_text}: eigvals has dtype {stored.dtype} and shape {stored.shape}")
    if fingerprint is not None and not isinstance(fingerprint, dict):
        raise ValueError(f"{error_text}: its fingerprint is {fingerprint!r}")
    with np.errstate(over="ignore"):  # long double may overflow; infinity is refused below
        values = stored.astype(np.complex128 if stored.dtype.kind == "c" else np.float64)
        moduli: NDArray[np.float64] = np.abs(values) if stored.dtype.kind == "c" else np.abs(values, out=values)
    if not np.isfinite(moduli).all() or not moduli.any():
        raise ValueError(f"{error_text}: eigvals are not finite, or all zero")
    if expected is not None and fingerprint is not None:
        _require_equal(fingerprint, expected, path)
    return moduli


def _parsed(file: npz.Arrays) -> tuple[NDArray[Any], Any]:
    fingerprint = npz.parsed_json(file["fingerprint"], "fingerprint") if "fingerprint" in file else None
    return file["eigvals"], fingerprint


def _require_equal(fingerprint: Fingerprint, expected: Fingerprint, path: str) -> None:
    names = [*expected, *(name for name in fingerprint if name not in expected)]
    differing = [
        f"{name} is {fingerprint.get(name)!r} there and {expected.get(name)!r} here"
        for name in names
        if fingerprint.get(name) != expected.get(name)
    ]
    if differing:
        raise ValueError(
            f"eigval_save_path: {path!r} was made from something else: {'; '.join(differing)}. "
            "Use another name, or remove the file"
        )
