"""The eigenvalue file: one ``.npz`` that the reference can read, with a fingerprint of where it comes from.

``eigvals`` holds the eigenvalues (moduli, for the graph of nearest neighbours) in the precision asked for.
``fingerprint`` holds, as JSON, a digest of the data and every parameter that shapes the spectrum. The reference
writes no fingerprint and ignores ours.
"""

from __future__ import annotations

import os
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.arrays import Rows

Fingerprint: TypeAlias = "dict[str, str | int | float | None]"


def digest(rows: Rows) -> str:
    """SHA-256 of the shape and of the values as float64, whatever dtype and layout they have."""
    import hashlib  # not loaded by NumPy

    sha = hashlib.sha256(repr(rows.shape).encode())
    step = max(1, 2**20 // rows.shape[1])
    for start in range(0, len(rows), step):
        # Adding 0 turns -0 into 0, which is the same number.
        values = rows[start : start + step].astype("<f8") + 0.0
        sha.update(values.tobytes())
    return sha.hexdigest()


def round_to(eigenvalues: NDArray[np.float64], precision: np.dtype[Any]) -> NDArray[Any]:
    """Eigenvalues in the precision of the file.

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
    """Write under exactly this name."""
    import json

    write_npz(path, eigvals=eigenvalues, fingerprint=np.array(json.dumps(fingerprint)))


def write_npz(path: str, **arrays: NDArray[Any]) -> None:
    """Write arrays under exactly this name, all or nothing: to a temporary name, then renamed. Folders are made."""
    import secrets

    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)
    temporary = os.path.join(folder, f".dsentropy-{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type] # NumPy's other keyword is none of ours
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise


def load(path: str, expected: Fingerprint | None) -> NDArray[np.float64]:
    """Read moduli of eigenvalues, of a file of ours or of the reference.

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
    eigenvalues, fingerprint = _read(path)
    if expected is not None and fingerprint is not None:
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
    return eigenvalues


def _read(path: str) -> tuple[NDArray[np.float64], Fingerprint | None]:
    import json

    not_one = f"eigval_save_path: {path!r} is not a whole eigenvalue file"
    with open(path, "rb") as opened:  # the system's errors name the file
        try:
            with np.load(opened, allow_pickle=False) as file:
                stored = np.asarray(file["eigvals"])
                fingerprint = json.loads(str(file["fingerprint"])) if "fingerprint" in file else None
        except Exception as error:  # of NumPy, zipfile, zlib or json, whatever bytes the file has
            raise ValueError(f"{not_one}: {error}") from error
    if stored.dtype.kind not in "fciu" or stored.ndim != 1 or stored.size == 0:
        raise ValueError(f"{not_one}: eigvals has dtype {stored.dtype} and shape {stored.shape}")
    if fingerprint is not None and not isinstance(fingerprint, dict):
        raise ValueError(f"{not_one}: its fingerprint is {fingerprint!r}")
    with np.errstate(over="ignore"):  # of long double; infinity is refused below
        moduli = np.abs(stored.astype(np.complex128 if stored.dtype.kind == "c" else np.float64))
    if not np.isfinite(moduli).all() or not moduli.any():
        raise ValueError(f"{not_one}: eigvals are not finite, or all zero")
    return moduli, fingerprint
