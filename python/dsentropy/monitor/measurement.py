"""One layer to its readings: entropy, informations, and what a diffusion spectrum cannot see.

All entropies of a layer are read off one spectrum. With u_i = x_i / |x_i| the directions of the rows that are not
zero, and bars for means,

    mean resultant = |mean x| / mean |x|,    spread = sqrt(mean |u_i - mean u|^2) = sqrt(1 - |mean u|^2),

both from 0 to 1: a layer that has collapsed onto one direction has a mean resultant of 1 and a spread of 0. The
effective rank is that of the singular values of the centred rows (Roy & Vetterli, EUSIPCO 2007). An error or a
warning of a measure becomes a text of its readings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.warn import collected_warnings, warn
from dsentropy._data.subsets import INNER_MAX_N
from dsentropy._measures.covariance import covariance_spectrum
from dsentropy._measures.diffusion import diffusion_spectrum
from dsentropy._measures.estimated_bandwidth import estimate_bandwidth
from dsentropy._measures.mutual_information import MutualInformation, mutual_information
from dsentropy._measures.null_baseline import null_baseline
from dsentropy._measures.suggested_bandwidth import BandwidthWarning, suggest_bandwidth
from dsentropy._spectrum.saturation import saturation
from dsentropy.monitor.rows import Layer, collapsed
from dsentropy.monitor.settings import ENTROPY, Settings

Reading = dict[str, Any]
"""Fields of a record that a measure sets."""

_SATURATION = {-1: "low", 0: None, 1: "high"}


class _Bandwidth(NamedTuple):
    """A bandwidth, or the reason for which there is none, with the warnings and the time that it took."""

    value: float | None
    fault: str | None
    multiple: float | None = None
    """The bandwidth in medians, which the layer keeps; None where the rule is not ``"structure"``."""
    texts: Sequence[str] = ()
    seconds: float = 0.0


_NO_BANDWIDTH = _Bandwidth(None, None)
"""The bandwidth of a measure that has none."""


@dataclass(frozen=True)
class Measurement:
    """The measurement of one layer."""

    layer: Layer
    chosen: NDArray[np.intp]
    """The numbers of its rows among all."""
    settings: Settings
    kept: float | None
    """The bandwidth, or the multiple of the median, that the layer keeps; None where there is none yet."""

    def readings(self) -> Iterator[Reading]:
        """Yield the readings of all measures, each with its value or the reason for which there is none."""
        settings = self.settings
        yield from _guarded([{"measure": name} for name in ("mean_resultant", "spread")], self._directions)
        yield from _guarded([{"measure": "effective_rank"}], self._effective_rank)
        found = self._bandwidth()
        sigma = found.value
        kernel = {"bandwidth_rule": settings.rule, "bandwidth": sigma, "alpha": settings.alpha}
        kernel["bandwidth_multiple"] = found.multiple
        if settings.entropy:
            blank = [
                {**kernel, "measure": ENTROPY, "t": t, "order": order, "null": settings.null_name}
                for t in settings.times
                for order in settings.orders
            ]
            yield from _guarded(blank, partial(self._entropies, sigma), found)
        null = None if settings.null is None else "permutations"
        for name, classes in settings.targets.items():
            blank = [{**kernel, "measure": name, "t": t, "order": 1.0, "null": null} for t in settings.times]
            yield from _guarded(blank, partial(self._informations, sigma, classes), found)

    def _bandwidth(self) -> _Bandwidth:
        """Return the bandwidth, or the reason for which there is none or nothing to use it on."""
        if self.layer.fault is not None:
            return _Bandwidth(None, self.layer.fault)
        start = time.perf_counter()
        sigma = fault = multiple = None
        with collected_warnings() as texts:
            try:
                sigma, multiple = self._estimated_bandwidth()
            except Exception as error:
                fault = _text(error)
        seconds = time.perf_counter() - start
        if not sigma:
            return _Bandwidth(None, fault or collapsed(self.layer.name), None, texts, seconds)
        return _Bandwidth(sigma, None, multiple, texts, seconds)

    def _estimated_bandwidth(self) -> tuple[float, float | None]:
        """Return the bandwidth and, by the rule ``"structure"``, the multiple of the median that it is."""
        settings = self.settings
        if given := settings.number or (self.kept if settings.rule == "frozen" else None):
            return given, None
        names = ("metric", "random_state", "num_threads")
        median = estimate_bandwidth(self._rows, **{name: getattr(settings, name) for name in names})
        if settings.rule != "structure" or not median:
            return median, None
        multiple = self.kept or self._multiple()
        return multiple * median, multiple

    def _multiple(self) -> float:
        """Find the multiple of the median at which the layer differs most from its null."""
        t, order = self.settings.structure_reading
        null = "gaussian" if self.settings.null is None else self.settings.null
        found = suggest_bandwidth(self._rows, t, null, order=order, **self._shared)
        if not found.clear:
            warn(
                f"at no bandwidth does it differ clearly from {found.null_name} noise (t = {t:g}): the largest "
                f"structure is {found.structure:.2g} bits, z = {found.z:.2g}. Its multiple, {found.multiple:.3g} "
                "medians, may be chance; bandwidth='median' needs no structure",
                BandwidthWarning,
            )
        return found.multiple

    @property
    def _rows(self) -> NDArray[Any]:
        if self.layer.rows is None or self.layer.rows.size == 0:
            raise ValueError(self.layer.fault)
        return self.layer.rows

    @property
    def _shared(self) -> dict[str, Any]:
        settings = self.settings
        names = ("alpha", "metric", "precision", "random_state", "num_threads")
        return {name: getattr(settings, name) for name in names}

    def _directions(self) -> list[Reading]:
        """Compute the mean resultant and the spread of the directions; rows that are zero have none."""
        with np.errstate(over="ignore"):  # of long double
            rows = self._rows.astype(np.float64)
        largest = np.abs(rows).max()
        if not np.isfinite(largest):
            raise ValueError(self.layer.fault or f"{self.layer.name} must be finite in float64")
        rows /= largest or 1.0
        norms = np.linalg.norm(rows, axis=1)
        if not norms.any():
            raise ValueError(f"{self.layer.name} must have a row that is not zero, to have a direction")
        resultant = np.linalg.norm(rows.mean(axis=0)) / norms.mean()
        directions = rows[norms > 0] / norms[norms > 0, None]
        away = directions - directions[0]  # exactly 0 where all are equal
        away -= away.mean(axis=0)
        spread = np.sqrt(np.einsum("ij,ij->", away, away) / len(away))
        return [{"value": float(min(resultant, 1.0))}, {"value": float(min(spread, 1.0))}]

    def _effective_rank(self) -> list[Reading]:
        if self.layer.fault is not None:
            raise ValueError(self.layer.fault)
        spectrum = covariance_spectrum(self._rows, num_threads=self.settings.num_threads)
        return [{"value": float(spectrum.effective_rank(0.5))}]

    def _entropies(self, sigma: float | None) -> list[Reading]:
        settings = self.settings
        spectrum = diffusion_spectrum(self._rows, bandwidth=sigma, solver=settings.spectrum_solver, **self._shared)
        bits = spectrum.bits(settings.times, settings.orders)
        errors = spectrum.standard_error(settings.times, settings.orders)
        lower, upper = spectrum.bounds(settings.times, settings.orders)
        depends = np.outer(np.array(settings.times) > 0, np.array(settings.orders) > 0)
        ends = saturation(bits, float(np.log2(self.layer.n))) * depends
        columns = {"value": bits, "standard_error": errors, "lower": lower, "upper": upper}
        columns |= self._null(sigma)
        flat = {name: np.ravel(column).tolist() for name, column in columns.items()}
        of_ends = [_SATURATION[int(end)] for end in ends.ravel()]
        return [
            {"saturation": end} | {name: column[i] for name, column in flat.items()} for i, end in enumerate(of_ends)
        ]

    def _null(self, sigma: float | None) -> dict[str, Any]:
        """Compare the entropies with those of surrogates, which have the same bandwidth."""
        settings = self.settings
        if settings.null is None:
            return {}
        found = null_baseline(
            self._rows,
            null=settings.null,
            n_draws=settings.n_draws,
            bandwidth=sigma,
            t=settings.times,
            orders=settings.orders,
            solver=settings.solver,
            **self._shared,
        )
        return {name: getattr(found, name) for name in ("null_mean", "null_standard_deviation", "z", "p_value")}

    def _informations(self, sigma: float | None, of_all: NDArray[Any]) -> list[Reading]:
        settings = self.settings
        if self.layer.n_all != len(of_all):
            raise ValueError(
                f"{self.layer.name} must have as many rows as the labels or inputs, {len(of_all)}, "
                f"got {self.layer.n_all}"
            )
        found = mutual_information(
            self._rows,
            clusters=of_all[self.chosen],
            bandwidth=sigma,
            t=settings.times,
            n_repeats=settings.n_repeats,
            n_permutations=0 if settings.null is None else settings.n_draws,
            solver=settings.solver,
            **self._shared,
        )
        columns = {name: getattr(found, name) for name in ("value", "standard_error", "z", "p_value")}
        if found.null is not None:
            columns["null_mean"] = found.null.mean(axis=0)
            columns["null_standard_deviation"] = found.null.std(axis=0, ddof=1)
        columns = {name: np.ravel(column) for name, column in columns.items() if column is not None}
        ends = _saturation_of_random(found, settings.times)
        return [
            {"saturation": ends[i]} | {name: float(column[i]) for name, column in columns.items()}
            for i in range(len(settings.times))
        ]


def _saturation_of_random(found: MutualInformation, times: list[float]) -> list[str | None]:
    """Return at which end of its range the mean entropy of random subsets is, at each t."""
    sizes, entropies = (np.reshape(found.per_cluster[name], (-1, len(times))) for name in ("size", "random_entropy"))
    weights = sizes[:, 0] / sizes[:, 0].sum()
    most = float(weights @ np.log2(np.minimum(sizes[:, 0], INNER_MAX_N)))
    ends = saturation(weights @ entropies, most) if most else np.zeros(len(times), dtype=np.int64)
    return [_SATURATION[int(end)] if t > 0 else None for t, end in zip(times, ends, strict=True)]


def _guarded(
    blank: list[Reading], measure: Callable[[], list[Reading]], bandwidth: _Bandwidth = _NO_BANDWIDTH
) -> list[Reading]:
    """Return the readings of a measure with its warnings and time; where it fails, blank ones and the reason."""
    start, reason, found = time.perf_counter(), bandwidth.fault, [Reading() for _ in blank]
    with collected_warnings() as texts:
        try:
            found = measure() if bandwidth.fault is None else found
        except Exception as error:  # a measure must not end the training
            reason = _text(error)
    seconds = bandwidth.seconds + time.perf_counter() - start
    warned = "\n".join(dict.fromkeys([*bandwidth.texts, *texts])) or None
    return [
        _with_reason({**empty, **reading, "warnings": warned, "seconds": seconds}, reason)
        for empty, reading in zip(blank, found, strict=True)
    ]


def _with_reason(reading: Reading, reason: str | None) -> Reading:
    """Replace numbers that are not finite by None; where the value is one, say so."""
    value = reading.setdefault("value", None)
    if reason is None and value is not None and not np.isfinite(value):
        reason = f"the value is {value}"
    checked = {name: None if _is_infinite(name, number) else number for name, number in reading.items()}
    return {**checked, "reason": reason}


def _is_infinite(name: str, number: Any) -> bool:
    return name != "order" and isinstance(number, float) and not np.isfinite(number)


def _text(error: Exception) -> str:
    """Return the text of an error: of a :class:`ValueError`, which is that of data, without its class."""
    return str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
