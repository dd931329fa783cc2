"""Arguments of a monitor, checked when it is made: what is measured, and how."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.conversion import as_array
from dsentropy._checks.limits import MAX_DRAWS
from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import (
    Numbers,
    Precision,
    as_alpha,
    as_choice,
    as_count,
    as_limit,
    as_nonnegative,
    as_numbers,
    as_order,
    as_positive,
    as_precision,
    as_seed,
    as_threads,
    entries_of,
)
from dsentropy._data.surrogates import Null, as_null, null_name
from dsentropy._data.target import OfNumbers, classes_of
from dsentropy._data.target_warning import TargetNames
from dsentropy._operator.precision import require_free_precision
from dsentropy._spectrum.solver import Stochastic, as_stochastic, resolve_solver
from dsentropy.monitor.records import Record
from dsentropy.monitor.rows import RowSubsets

Rule: TypeAlias = Literal["median", "frozen", "structure", "number"]
"""Rules of the bandwidth, as records have them."""

KEPT: dict[str, str] = {"frozen": "bandwidth", "structure": "bandwidth_multiple"}
"""Rules by which a layer keeps a number of its first step, with the field of records that has it."""

ENTROPY, INFORMATION, OF_INPUTS = "dse", "dsmi", "dsmi_inputs"
"""Measures of a layer that need a bandwidth: its entropy, and its information on labels and on inputs."""


@dataclass(frozen=True)
class Settings:
    """Checked arguments of a monitor."""

    entropy: bool
    """Whether the entropy is measured."""
    rule: Rule
    number: float | None
    """The bandwidth of the rule ``"number"``."""
    times: list[float]
    orders: list[float]
    max_samples: int | None
    null: Null | None
    n_draws: int
    n_repeats: int
    alpha: float
    metric: Literal["euclidean", "cosine"]
    precision: Precision
    solver: Literal["exact"] | Stochastic
    random_state: int
    num_threads: int | None
    targets: dict[str, NDArray[Any]] = field(default_factory=dict)
    """Classes of the items by the information that is about them: numbers from 0; -1 of items that are not used."""

    @classmethod
    def of(
        cls,
        *,
        measures: Any,
        bandwidth: Any,
        t: Numbers,
        orders: Numbers,
        labels: Any,
        inputs: Any,
        max_samples: Any,
        null: Any,
        n_draws: Any,
        n_repeats: Any,
        alpha: Any,
        metric: Any,
        precision: Any,
        solver: Any,
        random_state: Any,
        num_threads: Any,
    ) -> Settings:
        """Check the arguments of :class:`Monitor` but the labels and inputs themselves."""
        names = _as_measures(measures, labels, inputs)
        times, _ = as_numbers(t, "t", as_nonnegative)
        rule, number = _as_rule(bandwidth, times)
        of_orders, _ = as_numbers(orders, "orders", as_order)
        seed = as_seed(random_state, "random_state")
        stored, options = as_precision(precision), resolve_solver(solver, seed or 0, times=times, orders=of_orders)
        require_free_precision(stored, options)
        chosen = as_stochastic(solver)
        return cls(
            entropy=ENTROPY in names,
            rule=rule,
            number=number,
            times=list(dict.fromkeys(times)),
            orders=list(dict.fromkeys(of_orders)),
            max_samples=as_limit(max_samples, "max_samples"),
            null=None if null is None else as_null(null),
            n_draws=as_count(n_draws, "n_draws", least=2, most=MAX_DRAWS),
            n_repeats=as_count(n_repeats, "n_repeats", most=MAX_DRAWS),
            alpha=as_alpha(alpha),
            metric=as_choice(metric, "metric", "euclidean", "cosine"),
            precision=stored,
            solver="exact" if chosen is None else chosen,
            random_state=fresh_seed() if seed is None else seed,
            num_threads=as_threads(num_threads),
        )

    def with_targets(self, labels: Any, inputs: Any, subsets: RowSubsets) -> Settings:
        """Return these settings with the classes of labels and inputs, which those of the used items make."""
        targets = {}
        if labels is not None:
            given = _items(labels, "labels")
            is_number = given.dtype.kind == "f" and bool((given != np.round(given)).any())
            targets[INFORMATION] = _classes(given, "labels", subsets, discrete=not is_number)
        if inputs is not None:
            given = _items(inputs, "inputs")
            if given.dtype.kind not in "fiub":
                raise TypeError(f"inputs must hold real numbers, got dtype {given.dtype}: labels=... takes classes")
            targets[OF_INPUTS] = _classes(given.reshape(len(given), -1), "inputs", subsets, discrete=False)
        if len({len(classes) for classes in targets.values()}) > 1:
            of_labels, of_inputs = (len(classes) for classes in targets.values())
            raise ValueError(f"inputs must be as long as labels, {of_labels}, got {of_inputs}")
        return replace(self, targets=targets)

    @property
    def spectrum_solver(self) -> Literal["exact"] | Stochastic:
        """The solver of a spectrum, whose tolerance holds at the times and orders of the monitor."""
        if self.solver == "exact":
            return "exact"
        positive = tuple(time for time in self.times if time > 0)
        return replace(self.solver, t=positive or None, orders=tuple(self.orders))

    @property
    def structure_reading(self) -> tuple[float, float]:
        """Diffusion time and order of the rule ``"structure"``: the first positive ones, else order 1."""
        return next(time for time in self.times if time > 0), next((order for order in self.orders if order > 0), 1.0)

    @property
    def solver_name(self) -> str:
        """The solver as records have it."""
        return "exact" if self.solver == "exact" else "stochastic"

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of a record that are the same for every layer and measure."""
        names = ("metric", "precision", "random_state")
        return {"solver": self.solver_name, **{name: getattr(self, name) for name in names}}

    @property
    def null_name(self) -> str | None:
        """The surrogates as records have them."""
        return None if self.null is None else null_name(self.null)

    def subsets(self) -> RowSubsets:
        """Return the random subsets of these settings."""
        return RowSubsets(self.max_samples, self.random_state)

    def agreeing(self, records: Iterable[Record], source: Literal["log", "state"], *, keeps_seed: bool) -> Settings:
        """Return these settings with the seed of a run that is taken up, after a check that the rest agrees with it.

        Parameters
        ----------
        records : iterable of dict
            The records of the run.
        source : {"log", "state"}
            Where they are from.
        keeps_seed : bool
            Whether the seed of the run is taken; else another one is refused.
        """
        settings = self
        of_run = f"must be that of the run in the {source}"
        way_out = "run=... names a new run" if source == "log" else "a Monitor that loads no state makes a new run"
        for record in records:
            seed = record["random_state"]
            if seed is not None and seed != settings.random_state:
                if not keeps_seed:
                    raise ValueError(
                        f"random_state {of_run}, {seed}, got {settings.random_state}: with another one the rows "
                        f"differ; {way_out}"
                    )
                settings = replace(settings, random_state=seed)
            if record["metric"] not in (None, settings.metric):
                raise ValueError(f"metric {of_run}, {record['metric']!r}, got {settings.metric!r}: {way_out}")
            n, n_all, limit = record["n"], record["n_all"], settings.max_samples
            if n and n_all and n != (n_all if limit is None else min(n_all, limit)):
                raise ValueError(f"max_samples {of_run}, which used {n} rows of {n_all}, got {limit}: {way_out}")
        return settings


def fresh_seed() -> int:
    """Return a seed from the system; no global generator moves."""
    return int(np.random.SeedSequence().generate_state(1)[0])


def _as_measures(measures: Any, labels: Any, inputs: Any) -> list[str]:
    names = [measures] if isinstance(measures, str) else entries_of(measures, "measures", "strings")
    if names is None:
        raise TypeError(f"measures must be a sequence of 'dse' and 'dsmi', got {printed(measures)}")
    checked = [as_choice(name, "measures", ENTROPY, INFORMATION) for name in names]
    has_target = labels is not None or inputs is not None
    if INFORMATION not in checked and has_target:
        given = "inputs" if labels is None else "labels"
        raise ValueError(f"{given} must be None where measures have no 'dsmi': they play no part")
    if ENTROPY not in checked and not has_target:
        raise ValueError("labels or inputs must be given where measures are 'dsmi' alone, got None")
    return list(checked)


def _as_rule(bandwidth: Any, times: list[float]) -> tuple[Rule, float | None]:
    if not isinstance(bandwidth, str):
        return "number", as_positive(bandwidth, "bandwidth")
    rule: Rule = as_choice(bandwidth, "bandwidth", "median", "frozen", "structure")
    if rule == "structure" and not any(time > 0 for time in times):
        raise ValueError("t must have a positive number where bandwidth is 'structure'")
    return rule, None


def _items(value: Any, name: str) -> NDArray[Any]:
    """Convert to an array with one entry an item, of at least one."""
    array = as_array(value, name)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{name} must have one entry for each item, got shape {array.shape}")
    return array


def _classes(items: NDArray[Any], name: str, subsets: RowSubsets, *, discrete: bool) -> NDArray[Any]:
    """Return the class of each item that is used, by the rules of :func:`mutual_information`."""
    names = TargetNames(target=name, data=name, discrete=name, reference=False)
    n, chosen = len(items), subsets.of(len(items))
    found = classes_of(items[chosen], None, discrete, OfNumbers.of(None, None, None), len(chosen), names, None)
    classes: NDArray[Any] = np.full(n, -1)
    classes[chosen] = np.unique(found.of_rows, return_inverse=True)[1].reshape(-1)
    return classes
