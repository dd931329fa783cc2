"""Small files of each kind that this package writes, what a reader gets from them, and random mutations of them.

A file whose bytes are changed, also with a right CRC-32, must be refused, or read as before. One that is forged has a
right CRC-32 and a right checksum. It is another file, which may be read, but what is read has to be in its range.
"""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from dsentropy import EstimatedSpectrum, Spectrum, _core
from dsentropy.io import eigenvalue_file, npz

KINDS = ("spectrum", "estimate", "eigenvalues")
FINGERPRINT: dict[str, Any] = {"operator": "diffusion", "data": "ab" * 32, "gaussian_kernel_sigma": 10.0}
PARAMETERS = {"operator": "diffusion", "bandwidth": 0.5, "max_samples": None, "weights": np.arange(3.0)}
INFINITY = float("inf")


def small_estimate() -> EstimatedSpectrum:
    """An estimate of eight eigenvalues, three of which are deflated, with two probes."""
    rules = np.array([[1, 0.5, 0], [1, 2, 0], [1, 0, 0], [3, 0, 0], [1, 0.25, 0], [1, 1, 1], [1, 0.5, 0], [1, 2, 0]])
    rules = np.vstack([rules, np.zeros((2, 3))])
    info = _core.EstimateInfo(
        dim=8,
        positive_semidefinite=True,
        products=5,
        rounding=1e-10,
        entry_error=1e-16,
        unit_roundoff=2.0**-53,
        largest_modulus=1.0,
    )
    probes = np.array([rules, rules])
    probes[:, ::2] *= [[[0.6]], [[0.7]]]
    estimate = _core.Estimate.from_arrays(info, [5.0, 2.0], rules, probes, [2, 2, 2])
    return EstimatedSpectrum(estimate, n_samples=8, parameters=PARAMETERS, fingerprint="cd" * 32)


def write(kind: str, path: Path, rows: int = 6) -> bytes:
    """Write a file of a kind, and return its bytes."""
    moduli = np.linspace(1, 0.1, rows)
    if kind == "spectrum":
        Spectrum(moduli, parameters=PARAMETERS, fingerprint="cd" * 32).save(path)
    elif kind == "estimate":
        small_estimate().save(path)
    else:
        eigenvalue_file.save(str(path), moduli.astype(np.float32), FINGERPRINT)
    return path.read_bytes()


def content(kind: str, path: Path) -> Any:
    """Read a file, and return all that it holds, to be compared."""
    if kind == "eigenvalues":
        return eigenvalue_file.load(str(path), FINGERPRINT).tobytes()
    spectrum = Spectrum.load(path)
    arrays = {name: value for name, value in spectrum._state().items() if isinstance(value, np.ndarray)}
    arrays |= {name: value for name, value in spectrum.parameters.items() if isinstance(value, np.ndarray)}
    plain = {name: value for name, value in spectrum.parameters.items() if name not in arrays}
    held = sorted((name, array.dtype.str, array.shape, array.tobytes()) for name, array in arrays.items())
    return type(spectrum).__name__, spectrum.n_samples, repr(plain), spectrum.fingerprint, held


def out_of_range(kind: str, path: Path) -> str:
    """Read all that a file can be asked for, and return what is not finite or out of its range."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "eigenvalues":
            moduli = eigenvalue_file.load(str(path), None)
            return "" if np.isfinite(moduli).all() and (moduli >= 0).all() else f"eigenvalues {moduli}"
        spectrum = Spectrum.load(path)
        times, orders = [0.01, 0.5, 1, 2, 30, 1e6], [0.5, 1, 2, INFINITY]
        bits, errors, bounds = (
            np.array(read(times, orders)) for read in (spectrum.entropy, spectrum.standard_error, spectrum.bounds)
        )
        most = np.log2(len(spectrum)) * (1 + 1e-12)
        within = all(((values >= 0) & (values <= most)).all() for values in (bits, bounds))
        repr(spectrum)
    return "" if within and np.isfinite(errors).all() and (errors >= 0).all() else f"{bits} {errors} {bounds}"


def _flipped(rng: np.random.Generator, whole: bytes) -> bytes:
    changed = bytearray(whole)
    for _ in range(rng.integers(1, 4)):
        changed[rng.integers(len(whole))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _bytes_changed(rng: np.random.Generator, whole: bytes) -> bytes:
    at, length = int(rng.integers(len(whole))), int(rng.integers(1, 9))
    interesting = [b"\0" * length, b"\xff" * length, rng.bytes(length)]
    return whole[:at] + interesting[rng.integers(3)] + whole[at + length :]


def _truncated(rng: np.random.Generator, whole: bytes) -> bytes:
    return whole[: rng.integers(len(whole))]


def _inserted(rng: np.random.Generator, whole: bytes) -> bytes:
    at = rng.integers(len(whole) + 1)
    return whole[:at] + rng.bytes(int(rng.integers(1, 200))) + whole[at:]


def _deleted(rng: np.random.Generator, whole: bytes) -> bytes:
    at = rng.integers(len(whole))
    return whole[:at] + whole[at + rng.integers(1, 200) :]


def _swapped(rng: np.random.Generator, whole: bytes) -> bytes:
    a, b, c, d = sorted(int(at) for at in rng.integers(len(whole), size=4))
    return whole[:a] + whole[c:d] + whole[b:c] + whole[a:b] + whole[d:]


def _archive(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _members(whole: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _member_changed(rng: np.random.Generator, whole: bytes) -> bytes:
    """One array, or its header, is changed, and the CRC-32 is that of the change."""
    members = _members(whole)
    name = list(members)[rng.integers(len(members))]
    change = (_flipped, _bytes_changed, _header_changed, _truncated, _inserted)[rng.integers(5)]
    members[name] = change(rng, members[name])
    return _archive(members, (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)[rng.integers(2)])


def _header_changed(rng: np.random.Generator, member: bytes) -> bytes:
    header = member[10:128]
    sizes = [b"0", b"1", b"2", b"7", b"-1", b"9" * 17, b"1e3", b"None", b"9" * 90]
    size, other = (sizes[at] for at in rng.integers(len(sizes), size=2))
    changes = [
        (b"'shape': (", b"'shape': (" + size + b", "),
        (b"6,", size + b","),
        (b"(", b"(" * int(rng.integers(1, 60))),
        (b"<f8", [b">f8", b"<i8", b"<c8", b"|O8", b"<U2", b"|V8", b"<f2", b"<M8"][rng.integers(8)]),
        (b"False", b"True "),
        (b"()", b"(" + other + b",)"),
    ]
    before, after = changes[rng.integers(len(changes))]
    changed = header.replace(before, after, 1).rstrip(b" \n").ljust(117) + b"\n"
    return member[:8] + struct.pack("<H", len(changed)) + changed + member[128:]


DAMAGES: tuple[Callable[[np.random.Generator, bytes], bytes], ...] = (
    _flipped,
    _bytes_changed,
    _truncated,
    _inserted,
    _deleted,
    _swapped,
    _member_changed,
)
"""Mutations after which a file is refused, or is read as before."""

_NUMBERS = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0,
    0.5,
    1e-300,
    1e300,
    2.0**53,
    -(2.0**53),
    INFINITY,
    -INFINITY,
    float("nan"),
    5e-324,
)

_TEXTS = (
    "null", "NaN", "Infinity", "-1", "0", "1e400", "true", "[]", "{}", '"x"', "9" * 5000, "9" * 30, "[" * 100_000,
    '{"a":' * 5000, '"\\ud800"', '{"metric": 5}', '["parameter weights", "parameter weights"]',
)  # fmt: skip


def forged(rng: np.random.Generator, whole: bytes) -> bytes:
    """Change an array, and write the file anew, with its CRC-32 and its checksum."""
    members = _members(whole)
    arrays = {name.removesuffix(".npy"): np.load(io.BytesIO(data)) for name, data in members.items()}
    del arrays["checksum"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numbers that another dtype does not hold
        for _ in range(rng.integers(1, 3)):
            name = list(arrays)[rng.integers(len(arrays))]
            arrays[name] = _forged_array(rng, arrays[name])
    buffer = io.BytesIO()
    np.savez(buffer, **arrays, checksum=np.array(npz.checksum(arrays)))
    return buffer.getvalue()


def _forged_array(rng: np.random.Generator, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if array.dtype.kind == "U":
        text = str(array)
        colons = [at for at, letter in enumerate(text) if letter == ":"] or [0]
        start = int(colons[rng.integers(len(colons))]) + 1
        end = min((at for at in (text.find(",", start), text.find("}", start)) if at > 0), default=len(text))
        return np.array(f"{text[:start]} {_TEXTS[rng.integers(len(_TEXTS))]}{text[end:]}")
    choice = rng.integers(5)
    if choice == 0:
        return array[: rng.integers(len(array) + 1)]
    if choice == 1:
        return array.astype(("<f4", ">f8", "<i8", "<c16", "|i1", "|b1", "<u8")[rng.integers(7)])
    if choice == 2:
        return np.asfortranarray(array[..., None])
    if not array.size:
        return np.ones(1)
    changed = array.astype(np.float64)
    at = tuple(rng.integers(size) for size in array.shape)
    number = _NUMBERS[rng.integers(len(_NUMBERS))] if choice == 3 else changed[at] * 10.0 ** rng.integers(-12, 12)
    changed[at] = number
    with contextlib.suppress(ValueError, OverflowError):
        return changed.astype(array.dtype)
    return changed
