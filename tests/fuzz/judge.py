"""Judgement of one case: what a call returned, raised and changed, and whether it does so again.

Findings: an unexpected exception, an error that names no argument, a value that is not finite, a stray warning, an
input or global state that was changed, a result that another call or another form of the array changes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import random
import re
import signal
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cases
import dsentropy
import hostile
import numpy as np

EXPECTED = (TypeError, ValueError, MemoryError, OSError, hostile.HostileError)
"""Exceptions that a call may raise, whatever its arguments."""

NO_LAST_BITS = 1e-7
"""The relative difference that rounding may make where rows are in another order: sqrt(eps), and entropies of it."""

THREADS = re.compile("ThreadPoolExecutor|Dask|tqdm")
"""Threads that Dask and tqdm start once and keep."""

# A value whose number is not finite by its definition.
NOT_FINITE = re.compile(r"standard_error|change\[|p_value|null|per_cluster|coords|order|parameters|\.z\b")


@dataclasses.dataclass
class Outcome:
    """What became of a case."""

    seed: int
    text: str
    result: str
    """"returned", or the type of the exception."""
    digest: str | None
    """A digest of the bits of all numbers returned; None where they may differ from call to call."""
    findings: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    """Kind and details of each finding."""


@dataclasses.dataclass
class Called:
    """What one call returned or raised."""

    value: Any = None
    error: BaseException | None = None
    stage: str = ""
    """The function, or the method, that ran last."""
    warned: list[warnings.WarningMessage] = dataclasses.field(default_factory=list)

    def result(self) -> str:
        """Return "returned", or the type of the exception."""
        return type(self.error).__name__ if self.error is not None else "returned"


def judge(seed: int) -> Outcome:
    """Run the case of a seed twice, and its plain form, and judge them."""
    with tempfile.TemporaryDirectory(prefix="dsentropy-fuzz-") as name:
        folder = Path(name)
        case = cases.make(seed, folder / "first")
        outcome = Outcome(seed, case.text(), "", None)
        state, inputs = global_state(), _input_digest(case)
        with _writer(case):
            called = call(case, case.arguments)
        outcome.result = called.result()
        if any(seed is None for seed in _seeds(case)):  # Python's global generator is used, as documented
            state["random"] = hash(random.getstate())
        outcome.findings += _changes(state, global_state())
        if case.kind == "mutated":
            return outcome
        if _input_digest(case) != inputs:
            outcome.findings.append(("input changed", case.name))
        outcome.findings += _of_error(case, called) if called.error else _of_value(case, called)
        outcome.findings += _of_warnings(called)
        if not repeatable(case):
            return outcome
        again = call(same := cases.make(seed, folder / "second"), same.arguments)
        outcome.digest = digest(called)
        if digest(again) != outcome.digest:
            outcome.findings.append(("result changed", f"{summary(called)} then {summary(again)}"))
        if case.plain is not None and called.error is None:
            plain = cases.make(seed, folder / "third")
            outcome.findings += _compared(case, called, call(plain, plain.plain or {}))
    return outcome


def call(case: cases.Case, arguments: dict[str, Any]) -> Called:
    """Call the function of a case, and the method of its result."""
    called = Called(stage=case.name)
    with warnings.catch_warnings(record=True) as called.warned:
        warnings.simplefilter("always")
        try:
            called.value = cases.FUNCTIONS[case.name](**arguments)
            repr(called.value)
            if case.method is not None:
                called.stage = case.method
                got = getattr(called.value, case.method)(**case.method_arguments)
                called.value = (called.value, got)
        except KeyboardInterrupt:
            raise  # the pool asks whether the call can be interrupted
        except BaseException as error:  # PanicException is no Exception
            called.error = error
        finally:
            _close_figures()
    return called


def _close_figures() -> None:
    import matplotlib.pyplot

    matplotlib.pyplot.close("all")


def repeatable(case: cases.Case) -> bool:
    """Return whether the same case must give the same bits: it has a seed, and no array that changes."""
    values = {**case.arguments, **case.method_arguments}
    random_operator = isinstance(values.get("K", values.get("X")), hostile.WrongProducts)
    return not random_operator and all(seed is not None and seed is not np.ma.masked for seed in _seeds(case))


def _seeds(case: cases.Case) -> list[Any]:
    return [case.arguments[name] for name in ("random_state", "random_seed") if name in case.arguments]


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the numbers and arrays that a result holds, with their places."""
    if isinstance(value, np.ndarray | np.generic | float | int | complex):
        yield path, np.asarray(value)
    elif isinstance(value, str):
        yield path, np.asarray(value.encode("utf-8", "surrogatepass"))
    elif isinstance(value, dsentropy.Spectrum):
        if not isinstance(value, dsentropy.EstimatedSpectrum):
            yield f"{path}.eigenvalues", value.eigenvalues
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield f"{path}.entropy", np.asarray(value.entropy([0.5, 1, 3], [1, 2]))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from numbers(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from numbers(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from numbers(item, f"{path}[{i}]")


def digest(called: Called) -> str:
    """Return a digest of the bits of all numbers, or the type of the exception."""
    if called.error is not None:
        return called.result()
    found = hashlib.sha256()
    for path, array in numbers(called.value):
        found.update(f"{path}{array.dtype}{array.shape}".encode())
        found.update(repr(array.tolist()).encode() if array.dtype.hasobject else array.tobytes())
    return found.hexdigest()[:16]


def summary(called: Called) -> str:
    """Return the first numbers of a result, or its exception."""
    if called.error is not None:
        return f"{called.result()}: {str(called.error)[:200]}"
    return ", ".join(f"{path} {array.ravel()[:3]}" for path, array in list(numbers(called.value))[:3])


def _of_error(case: cases.Case, called: Called) -> Iterator[tuple[str, str]]:
    error = called.error
    try:
        text = " ".join(str(error).split())
    except Exception as failed:
        yield "error without a text", repr(type(failed))
        return
    if "panicked" in text or type(error).__name__ == "PanicException" or "Internal" in text:
        yield "panic", f"{called.stage}: {text[:300]}"
    elif isinstance(error, RuntimeError) and text.startswith("cannot start"):
        return  # threads that the machine refuses while other programs have many
    elif not isinstance(error, EXPECTED):
        yield "unexpected exception", f"{called.stage}: {type(error).__name__}: {text[:300]}"
    elif any(callable(case.arguments.get(name)) for name in ("bandwidth", "bandwidths", "null", "reading")):
        return  # its own exception
    elif type(error) in (TypeError, ValueError) and not _names_an_argument(case, called, text):
        yield "no argument's name", f"{called.stage}: {type(error).__name__}: {text[:300]}"


def _names_an_argument(case: cases.Case, called: Called, text: str) -> bool:
    function: Callable[..., Any] = cases.FUNCTIONS[case.name]
    if called.stage != case.name:
        function = getattr(type(called.value), called.stage)
    names = [parameter.name for parameter in cases.parameters(function)]
    if "solver" in names:
        names += dsentropy.Stochastic.__annotations__
    if "path" in case.arguments and case.arguments["path"].name in text:
        return True
    return any(re.search(rf"\b{name}\b", text) for name in names)


def _of_value(case: cases.Case, called: Called) -> Iterator[tuple[str, str]]:
    for path, array in numbers(called.value):
        infinite = array.dtype.kind in "fc" and not np.isfinite(array).all()
        if infinite and not NOT_FINITE.search(path) and case.method not in {"standard_error", "bounds"}:
            yield "not finite", f"{case.name}{path}: {array.ravel()[:5]}"


def _of_warnings(called: Called) -> Iterator[tuple[str, str]]:
    for warning in called.warned:
        ours = warning.category.__module__.startswith("dsentropy")
        if not ours and warning.category is not UserWarning:
            yield "stray warning", f"{called.stage}: {warning.category.__name__}: {str(warning.message)[:150]}"


def _compared(case: cases.Case, called: Called, plain: Called) -> Iterator[tuple[str, str]]:
    """Compare a result with that of the plain form of the array."""
    if plain.error is not None:
        yield "result of the form", f"{summary(called)}; plain {summary(plain)}"
        return
    pairs = zip(numbers(called.value), numbers(plain.value), strict=False)
    for (path, one), (_, other) in pairs:
        if one.dtype.kind in "fc" and other.shape == one.shape:
            scale = max(1.0, float(np.abs(other).max(initial=0.0)))
            if not np.allclose(one, other, rtol=NO_LAST_BITS, atol=NO_LAST_BITS * scale, equal_nan=True):
                worst = float(np.nanmax(np.abs(one - other)))
                values = f"{one.ravel()[:3]}, {other.ravel()[:3]}"
                yield "result of the form", f"{case.name}{path} by {worst:.2g}: {values}"
                return
        elif one.shape != other.shape:
            yield "result of the form", f"{case.name}{path}: shapes {one.shape}, {other.shape}"
            return


def _input_digest(case: cases.Case) -> str:
    """Return a digest of the arrays that a call is given."""
    found = hashlib.sha256()
    for value in {**case.arguments, **case.method_arguments}.values():
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            found.update(np.asarray(value).tobytes())
    return found.hexdigest()


def global_state() -> dict[str, Any]:
    """Return what a call must leave as it is."""
    legacy = np.random.get_state(legacy=False)
    return {
        "warnings.filters": list(warnings.filters),
        "random": hash(random.getstate()),
        "numpy.random": (hash(legacy["state"]["key"].tobytes()), legacy["state"]["pos"], legacy["has_gauss"]),
        "numpy.errstate": np.geterr(),
        "numpy.printoptions": str(np.get_printoptions()),
        "os.environ": dict(os.environ),
        "working folder": os.getcwd(),
        "signal handlers": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)],
        "threads of Python": {name for thread in threading.enumerate() if not THREADS.match(name := thread.name)},
    }


def _changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in before.items():
        if after[name] != value:
            yield "global state changed", name


@contextlib.contextmanager
def _writer(case: cases.Case) -> Iterator[None]:
    """Write to the arrays of a case from another thread, while it is called."""
    written = [v for v in case.arguments.values() if isinstance(v, np.ndarray) and v.flags.writeable and v.size]
    if case.kind != "mutated" or not written:
        yield
        return
    stop, values = threading.Event(), [0, 1, -1, 1e300, np.nan, np.inf]

    def write() -> None:
        i = 0
        while not stop.is_set():
            i += 1
            for array in written:
                with contextlib.suppress(Exception), np.errstate(all="ignore"):
                    array.flat[i % array.size] = values[i % len(values)]

    thread = threading.Thread(target=write, name="writer")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
