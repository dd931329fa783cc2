"""Fingerprints of data: one digest of equal values, whatever their dtype and layout.

A digest is SHA-256 of the shape and of the values as float64, little endian, row by row. Data whose values are equal
as float64 have one digest. Files and spectra carry it, to be checked against the data they are used with.
"""

from __future__ import annotations

from collections.abc import Iterable

from dsentropy._checks.arrays import Rows


def digest(rows: Rows) -> str:
    """Return the SHA-256 of the shape and of the values as float64, in hexadecimal."""
    step = max(1, 2**20 // rows.shape[1])
    return digest_of_pieces(rows.shape, (rows[start : start + step] for start in range(0, len(rows), step)))


def digest_of_pieces(shape: tuple[int, ...], pieces: Iterable[Rows]) -> str:
    """Return the digest of rows that come in pieces, in order."""
    import hashlib  # not loaded by NumPy

    sha = hashlib.sha256(repr(shape).encode())
    for piece in pieces:
        # Adding 0 turns -0 into 0, which is an equal number.
        values = piece.astype("<f8") + 0.0
        sha.update(values.tobytes())
    return sha.hexdigest()
