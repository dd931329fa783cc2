"""The file of a spectrum: one ``.npz`` with the arrays of its class and, as JSON, how it was made.

``about`` holds the format, the version of the package, the kind (the name of the class of spectra that wrote it),
the number of rows, the parameters and the fingerprint. Parameters that are arrays are arrays of the file, named
``parameter NAME``. All other arrays are the state of the spectrum. Format 1 began without a kind: then a file with
``eigenvalues`` is of the kind "exact", and any other of the kind "estimate".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        Where the file is torn, is of another program, or has another format; the error names the file.
    """
    found = npz.read(path, _parsed, error_text(path))
    if isinstance(found, SpectrumRecord):
        return found
    raise ValueError(f"{error_text(path)} that this version of dsentropy can read: its format is {found!r}")


def error_text(path: str) -> str:
    """Return the beginning of an error about the contents of a file."""
    return f"path: {path!r} is not a whole file of a Spectrum"


def _parsed(file: Mapping[str, NDArray[Any]]) -> Any:
    """Return a record, or a format that is not :data:`FORMAT`."""
    import json

    about = json.loads(str(file["about"]))
    if about["format"] != FORMAT:
        return about["format"]
    arrays = about["arrays"]
    if about["parameters"].get("solver") == "exact, which costs less":  # by versions before "requested_solver"
        about["parameters"].update(solver="exact", requested_solver="stochastic")
    state = {name: file[name] for name in file if name != "about" and name not in arrays}
    return SpectrumRecord(
        about.get("kind", "exact" if "eigenvalues" in state else "estimate"),
        state,
        about["n_samples"],
        {**about["parameters"], **{name.removeprefix("parameter "): file[name] for name in arrays}},
        about["fingerprint"],
    )
