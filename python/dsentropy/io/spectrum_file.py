"""The file of a spectrum: one ``.npz`` with the arrays of its class and, as JSON, how it was made.

``about`` holds the format, the version of the package, the kind (the name of the class of spectra that wrote it),
the number of rows, the parameters and the fingerprint. Parameters that are arrays are arrays of the file, named
``parameter NAME``. ``checksum`` is that of all arrays (:mod:`dsentropy.io.npz`). All other arrays are the state of
the spectrum. Format 1 began without a kind: then a file with
``eigenvalues`` is of the kind "exact", and any other of the kind "estimate".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.printing import printed
from dsentropy.io import npz

FORMAT = 1
"""The number of the format; a file with another one is refused."""


@dataclass(frozen=True)
class SpectrumRecord:
    """Contents of a file, from which a spectrum is built."""

    kind: str
    state: dict[str, NDArray[Any]]
    """The arrays of the kind of spectrum."""
    n_samples: int
    parameters: dict[str, Any]
    fingerprint: str | None


def write(path: str, record: SpectrumRecord, version: str) -> None:
    """Write a record, and the version of the package, under exactly this name."""
    import json

    arrays = {name: value for name, value in record.parameters.items() if isinstance(value, np.ndarray)}
    about = {
        "format": FORMAT,
        "kind": record.kind,
        "version": version,
        "n_samples": record.n_samples,
        "parameters": {name: value for name, value in record.parameters.items() if name not in arrays},
        "arrays": sorted(f"parameter {name}" for name in arrays),
        "fingerprint": record.fingerprint,
    }
    named = {f"parameter {name}": value for name, value in arrays.items()}
    npz.write(path, about=np.array(json.dumps(about)), **record.state, **named)


def read(path: str) -> SpectrumRecord:
    """Read a record.

    Raises
    ------
    OSError
        Where the file cannot be opened.
    ValueError
        Where the file is damaged, is of another program, or has another format; the error names the file.
    """
    found = npz.read(path, _parsed, error_text(path))
    if isinstance(found, SpectrumRecord):
        return found
    raise ValueError(f"{error_text(path)} that this version of dsentropy can read: its format is {found!r}")


def error_text(path: str) -> str:
    """Return the beginning of an error about the contents of a file."""
    return f"path: {path!r} is not a whole file of a Spectrum"


def _parsed(file: npz.Arrays) -> Any:
    """Return a record, or a format that is not :data:`FORMAT`."""
    about = npz.parsed_json(file["about"], "about")
    _require_types(about, "about", {"format": int})
    if about["format"] != FORMAT:
        return about["format"]
    _require_types(about, "about", {"parameters": dict, "arrays": list, "n_samples": int})
    parameters, arrays = about["parameters"], about["arrays"]
    kind, fingerprint = about.get("kind"), about.get("fingerprint")
    if not all(isinstance(text, str) for text in (kind or "", fingerprint or "", *arrays)):
        raise ValueError(f"kind, fingerprint and arrays must be strings, got {printed([kind, fingerprint, arrays])}")
    if parameters.get("solver") == "exact, which costs less":  # by versions before "requested_solver"
        parameters.update(solver="exact", requested_solver="stochastic")
    of_parameters = {name.removeprefix("parameter "): file[name] for name in arrays}
    twice = of_parameters.keys() & parameters.keys()
    if twice or len(of_parameters) < len(arrays):
        raise ValueError(f"parameters must have each name once, got {printed([*parameters, *arrays])}")
    state = npz.Arrays((name, file[name]) for name in file if name != "about" and name not in arrays)
    kind = kind or ("exact" if "eigenvalues" in state else "estimate")
    return SpectrumRecord(kind, state, about["n_samples"], {**parameters, **of_parameters}, fingerprint)


def _require_types(found: Any, name: str, types: Mapping[str, type]) -> None:
    """Raise where an object of JSON lacks a field, or has one of another type."""
    if not isinstance(found, dict):
        raise ValueError(f"{name} must be an object of JSON, got {printed(found)}")
    for field, kind in types.items():
        if type(found.get(field)) is not kind:  # bool is an int to isinstance
            raise ValueError(f"{field} must be of type {kind.__name__}, got {printed(found.get(field))}")
