"""A spectrum from its file: of the class that the file names, its numbers in their ranges, made from given data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dsentropy._checks.printing import printed
from dsentropy._data.data import METRICS
from dsentropy._spectrum.provenance import fingerprint_of
from dsentropy.io import spectrum_file

if TYPE_CHECKING:
    from dsentropy._spectrum.spectrum import Spectrum


def loaded(path: str, kinds: Mapping[str, type[Spectrum]], X: Any | None) -> Spectrum:
    """Read a spectrum, and compare its fingerprint with that of ``X``, unless it is None.

    Raises
    ------
    OSError
        Where the file cannot be opened.
    ValueError
        Where the file is damaged or has numbers that no spectrum has, and where it was made from other data.
    """
    record = spectrum_file.read(path)
    try:
        if record.kind not in kinds:
            raise ValueError(f"kind must be one of {', '.join(kinds)}, got {record.kind!r}")
        spectrum = kinds[record.kind]._restored(record.state, record.n_samples, record.parameters, record.fingerprint)
        if X is not None:
            _require_choice_of_rows(spectrum.parameters)
    except MemoryError:
        raise
    except Exception as error:  # whatever arrays and parameters the file has
        raise ValueError(f"{spectrum_file.error_text(path)}: {error}") from error
    if X is not None and spectrum.fingerprint != (fingerprint_of(X, spectrum.parameters) or ""):
        raise ValueError(f"path: {path!r} was made from other data than X")
    return spectrum


def _require_choice_of_rows(parameters: Mapping[str, Any]) -> None:
    """Raise where the parameters by which the fingerprint chooses rows are none that a function wrote."""
    metric = parameters.get("metric", "euclidean")
    if not isinstance(metric, str) or metric not in METRICS:
        raise ValueError(f"metric must be one of {', '.join(METRICS)}, got {printed(metric)}")
    most, seed = parameters.get("max_samples"), parameters.get("random_state")
    if not isinstance(most, (int, type(None))) or (most is not None and most < 1):
        raise ValueError(f"max_samples must be a positive integer or None, got {printed(most)}")
    if not isinstance(seed, (int, type(None))):
        raise ValueError(f"random_state must be an integer or None, got {printed(seed)}")
