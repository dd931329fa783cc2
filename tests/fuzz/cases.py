"""Cases: a public function with arguments that a seed determines, and what its result is asked next."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import arguments
import arrays
import dsentropy
import hostile
import monitored
import numpy as np
from dsentropy import plotting

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(dsentropy, name) for name in dsentropy.__all__ if name.islower() and name[0] != "_"},
    "Spectrum": dsentropy.Spectrum,
    "Stochastic": dsentropy.Stochastic,
    "Spectrum.load": dsentropy.Spectrum.load,
    "monitor": monitored.monitor,
    **{f"plotting.{name}": getattr(plotting, name) for name in plotting.__all__},
}
"""The public functions, and the classes that users make."""

METHODS: dict[type, list[str]] = {
    dsentropy.Spectrum: [
        "entropy",
        "standard_error",
        "bounds",
        "count",
        "effective_rank",
        "participation_ratio",
        "saturation",
        "to_dict",
        "to_pandas",
        "plot",
        "save",
    ],
    dsentropy.EntropySurface: ["to_dict", "to_pandas", "plot"],
    dsentropy.ConditionalMutualInformation: ["to_dict", "to_pandas", "plot"],
    dsentropy.LayerEntropies: ["to_dict", "to_pandas", "plot"],
    dsentropy.MutualInformation: ["to_dict", "to_pandas", "plot"],
    dsentropy.Comparison: ["to_dict", "to_pandas", "plot"],
    dsentropy.PopulationInterval: ["to_dict", "to_pandas", "plot"],
    dsentropy.Convergence: ["to_dict", "to_pandas", "plot"],
    dsentropy.BandwidthSuggestion: ["to_dict", "to_pandas", "plot"],
    dsentropy.NullBaseline: ["to_dict", "to_pandas", "plot"],
    dsentropy.SubsampledEntropy: ["to_dict", "to_pandas", "plot"],
}
"""Methods of results, each of which is called on some."""

ROW_INVARIANT = {
    "diffusion_spectral_entropy",
    "adjacency_spectral_entropy",
    "diffusion_spectrum",
    "adjacency_spectrum",
    "covariance_spectrum",
    "estimate_bandwidth",
}
"""Functions whose value does not depend on the order of the rows, where the exact solver is used on all of them."""


@dataclass
class Case:
    """One call of a public function, and one of a method of its result."""

    seed: int
    name: str
    kind: str
    """"valid", "form", "permuted", "hostile", "mutated" (while it is read) or "file" (a damaged one)."""
    arguments: dict[str, Any]
    hostile: list[str] = field(default_factory=list)
    """Arguments that are no valid values."""
    method: str | None = None
    method_arguments: dict[str, Any] = field(default_factory=dict)
    plain: dict[str, Any] | None = None
    """Arguments of a call that must have the same value, up to rounding."""
    note: str = ""

    def text(self) -> str:
        """Describe the call in one line."""
        shown = ", ".join(f"{name}={_shown(value)}" for name, value in self.arguments.items())
        method = f".{self.method}({', '.join(self.method_arguments)})" if self.method else ""
        return f"{self.name}({shown}){method} [{self.kind}{' ' if self.note else ''}{self.note}]"


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{type(value).__name__}{value.shape}:{value.dtype}"
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) < 80 else f"<{type(value).__name__}: {text[:60]}...>"


def make(seed: int, folder: Path) -> Case:
    """Make the case of a seed; files go into a folder."""
    draw = random.Random(seed)
    name = draw.choice(list(FUNCTIONS))
    kind = draw.choices(["valid", "form", "permuted", "hostile", "mutated"], [25, 20, 10, 40, 5])[0]
    if name == "Spectrum.load":
        return _file(seed, draw, folder)
    if kind == "permuted":
        return _permuted(seed, draw, folder)
    call = _valid(draw, name, folder, rate=draw.choice([0.15, 0.3, 0.5]))
    case = Case(seed, name, kind, call)
    if kind == "form":
        _reform(case, draw)
    elif kind == "hostile":
        _spoil(case, draw)
    _ask(case, draw, folder)
    return case


def parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the parameters of a function, without self."""
    return [p for p in inspect.signature(function).parameters.values() if p.name != "self"]


def _valid(draw: random.Random, name: str, folder: Path, rate: float) -> dict[str, Any]:
    """Draw arguments: those that are required, and a part of the others."""
    X = arrays.rows(draw)
    call: dict[str, Any] = {}
    for parameter in parameters(FUNCTIONS[name]):
        if parameter.default is inspect.Parameter.empty or draw.random() < rate:
            call[parameter.name] = arguments.PARAMETERS[parameter.name](draw, X, folder)
    if "X" in call:
        call["X"] = arguments.of_metric(call.get("metric"), X)
    for name_of in {"A", "B"} & call.keys():
        call[name_of] = arguments.of_metric(call.get("metric"), call[name_of])
    if name == "monitor":
        call["layers"] = {"rows": X, "column": X[:, :1]}
        call.pop("metric" if call.get("metric") in ("precomputed", "affinity") else "", None)
        if "labels" in call:
            call["labels"] = arguments.target(draw, len(X))
    if name == "compare" and "interval" in call:
        call["interval"] = draw.choice(["subsets", "population"])
    if name == "plotting.convergence":
        call.update({array: np.resize(X, (3, 2)) for array in ("mean", "standard_deviation")})
        call["sizes"], call["labels"] = [2, 4, 8], ["t = 1", "t = 2"]
    if name == "plotting.differences":
        call.update({bound: np.resize(X, (2, 3)) for bound in ("values", "low", "high")})
        call["labels"], call["t"] = ["A - B", "A - C"], [1, 2, 3]
    if name == "plotting.clusters":
        call["values"], call["names"], call["t"] = np.resize(X, (2, 3)), ["a", "b"], [1, 2, 3]
        call["null"] = draw.choice([None, np.resize(X, (4, 2, 3))])
    if name in ("plotting.surface", "plotting.surface_map"):
        call["values"] = np.resize(X, (2, 3))
        call["bandwidths"], call["t"] = [1.0, 2.0], [1, 2, 3]
        call["null"] = draw.choice([None, np.resize(X, (4, 2, 3))])
    if name == "plotting.subsampled":
        call["values"], call["interval"] = np.resize(X, (4, 3, 1)), np.resize(X, (2, 3, 1))
        call["t"], call["order"] = [1, 2, 3], 1
    if name in ("plotting.training", "plotting.profile", "plotting.training_map"):
        call["layers"], call["values"] = ["first", "second"], np.resize(X, (3, 2))
        beside = {"standard_errors": np.abs(X), "null_mean": X, "saturated": X > 0}
        call.update({array: np.resize(given, (3, 2)) for array, given in beside.items() if array in call})
    if name == "plotting.null_baseline":
        call["values"], call["null"] = np.resize(X, (3, 1)), np.resize(X, (4, 3, 1))
        call["t"], call["orders"] = [1, 2, 3], 1
    if name == "plotting.layers":
        call.update({array: np.resize(X, (2, 3)) for array in ("values", "null_mean", "null_standard_deviation")})
        call["names"], call["t"] = ["a", "b"], [1, 2, 3]
        call["saturated"] = draw.choice([None, np.ones((2, 3), dtype=bool)])
    if name == "plotting.information":
        call["value"], call["standard_error"], call["t"] = X[:1, 0], np.abs(X[:1, 0]), 1
        call["null"] = draw.choice([None, np.resize(X, (5, 1))])
    if name == "plotting.structure":
        call["structures"], call["spreads"] = np.resize(X, (2, 3)), np.abs(np.resize(X, (2, 3)))
        call["multiples"] = [0.1, 0.5, 2.0]
    if name == "plotting.estimate":
        call["eigenvalues"] = np.sort(np.abs(X[:, 0]))[::-1]
    return call


def _array_names(case: Case) -> list[str]:
    return [name for name in case.arguments if name in arguments.ARRAYS]


def _is_floats(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == np.float64


def _reform(case: Case, draw: random.Random) -> None:
    """Replace an array by another form of it."""
    # Labels would change their meaning with their dtype.
    names = [name for name in _array_names(case) if _is_floats(case.arguments[name])]
    if not names:
        return
    name, form = draw.choice(names), draw.choice(list(arrays.FORMS))
    X = case.arguments[name]
    case.plain = dict(case.arguments)
    if name in {"X", "embedding_vectors"} and draw.random() < 0.15:
        case.plain, case.arguments[name], case.note = None, _chunked(draw, X), "dask"
    elif draw.random() < 0.15:
        case.plain, case.arguments[name], case.note = None, arrays.narrowed(draw, X), "narrow"
    else:
        case.arguments[name], case.note = arrays.FORMS[form](X), form


def _chunked(draw: random.Random, X: Any) -> Any:
    import dask.array

    return dask.array.from_array(X, chunks=(max(1, len(X) // draw.randint(1, 4)), X.shape[1]))


def _permuted(seed: int, draw: random.Random, folder: Path) -> Case:
    """Draw a call whose rows are in another order."""
    name = draw.choice(sorted(ROW_INVARIANT))
    call = _valid(draw, name, folder, rate=0.2)
    for dropped in ("max_N", "max_samples", "solver", "neighbors", "eigval_save_path", "n_neighbors", "knn"):
        call.pop(dropped, None)
    if call.get("precision") == "single" or call.get("metric") in {"precomputed", "affinity"}:
        call.pop("metric", None)
        call.pop("precision", None)
    call.pop("weights", None)  # of the rows in their order
    if call.get("rule") == "structure":
        call.pop("rule")  # surrogates are drawn from the rows in their order
    if np.min(call.get("t", 1)) < 1:
        call.pop("t")  # of which rounding of eigenvalues near 0 is magnified
    if isinstance(call.get("bandwidth"), np.ndarray):
        call.pop("bandwidth")
    if name.startswith("adjacency"):  # the graph is directed, and a defective eigenvalue moves by sqrt(eps)
        call.pop("graph", None)
        call.pop("use_knn", None)
    data = next(name for name in ("X", "embedding_vectors") if name in call)
    X = arrays.well_scaled(draw)
    case = Case(seed, name, "permuted", {**call, data: X[arrays.generator(draw).permutation(len(X))]})
    case.plain = {**call, data: X}
    return case


def _file(seed: int, draw: random.Random, folder: Path) -> Case:
    """Draw a saved spectrum or estimate, and change some bits or the length of the file."""
    X = arrays.well_scaled(draw)
    saved = dsentropy.diffusion_spectrum(X, bandwidth=2.0, solver=draw.choice(["exact", "stochastic"]), num_threads=1)
    whole, damaged = folder / "whole.npz", folder / "damaged.npz"
    saved.save(whole)
    data = bytearray(whole.read_bytes())
    kind = draw.randrange(4)
    for _ in range(draw.choice([1, 1, 2, 5]) if kind else 0):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    damaged.write_bytes(data if kind < 3 else data[: draw.randrange(len(data))])
    given = {"X": X} if draw.random() < 0.5 else {}
    case = Case(seed, "Spectrum.load", "file", {"path": damaged, **given}, note=type(saved).__name__)
    case.plain = {"path": whole, **given}
    return case


def _spoil(case: Case, draw: random.Random) -> None:
    """Replace one or two arguments by hostile values."""
    names = [parameter.name for parameter in parameters(FUNCTIONS[case.name])]
    for name in draw.sample(names, min(len(names), draw.choice([1, 1, 1, 2]))):
        found = case.arguments.get(name)
        if isinstance(found, np.ndarray) and found.ndim == 2 and draw.random() < 0.8:
            case.arguments[name] = hostile.array(draw, found)
        elif case.name == "monitor" and name == "layers" and draw.random() < 0.8:
            case.arguments[name] = {**found, "rows": hostile.array(draw, found["rows"])}
        elif name in arguments.STRINGS and draw.random() < 0.3:
            case.arguments[name] = draw.choice(["Exact", "", "no such choice", b"exact", ["knn"]])
        else:
            case.arguments[name] = hostile.scalar(draw)
        case.hostile.append(name)


def _ask(case: Case, draw: random.Random, folder: Path) -> None:
    """Draw a method of the result, and its arguments; a hostile one at times."""
    returned = {
        "compare": dsentropy.Comparison,
        "population_interval": dsentropy.PopulationInterval,
        "convergence": dsentropy.Convergence,
        "entropy_surface": dsentropy.EntropySurface,
        "layer_entropies": dsentropy.LayerEntropies,
        "mutual_information": dsentropy.MutualInformation,
        "null_baseline": dsentropy.NullBaseline,
        "suggest_bandwidth": dsentropy.BandwidthSuggestion,
    }
    kind = returned.get(case.name, dsentropy.Spectrum if case.name.lower().endswith("spectrum") else None)
    if kind is None or case.name.startswith("plotting"):
        return
    case.method = draw.choice(METHODS[kind])
    for parameter in parameters(getattr(kind, case.method)):
        if parameter.default is inspect.Parameter.empty or draw.random() < 0.5:
            maker = arguments.PARAMETERS[parameter.name]
            value = maker(draw, np.ones((2, 2)), folder)
            if case.kind == "hostile" and draw.random() < 0.5:
                value = hostile.scalar(draw)
            case.method_arguments[parameter.name] = value
