"""Options that the commands share, and the texts that they take.

Only the standard library is imported: the help of a command needs nothing else.
"""

from __future__ import annotations

import argparse
import math
import os
from typing import Any

FORMATS = ("table", "json", "jsonl", "csv")

POOLS = ("flatten", "mean", "max", "first", "cls", "last", "tokens")


def add_files(parser: argparse.ArgumentParser, several: bool = True) -> None:
    """Add the files that are read."""
    text = "file of embeddings, or - for an .npy file from the standard input"
    if several:
        parser.add_argument("files", metavar="FILE", nargs="+", help=text)
    else:
        parser.add_argument("file", metavar="FILE", help=text)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is read of a file."""
    group = parser.add_argument_group("what is read of a file")
    group.add_argument(
        "--key", action="append", metavar="NAME", help="name of an array or a column; may be given more than once"
    )
    group.add_argument("--layer", type=int, metavar="NUMBER", help="number of a layer")
    group.add_argument("--pool", choices=POOLS, help="how items of several axes become rows")
    group.add_argument("--rows", type=rows, metavar="START:STOP:STEP", help="rows that are read, as a slice")
    group.add_argument("--max-samples", type=int, metavar="N", help="most rows; of more, N random ones are read")


def add_measuring(parser: argparse.ArgumentParser, *, bandwidth: bool = True, orders: bool = True) -> None:
    """Add the options of the diffusion operator, of the readings and of the solver."""
    group = parser.add_argument_group("what is measured")
    if bandwidth:
        group.add_argument("--bandwidth", type=bandwidth_of, default="median", metavar="RULE", help=_BANDWIDTH)
    group.add_argument("--t", type=numbers, default=[1.0], metavar="T,...", help="diffusion times (default: 1)")
    if orders:
        group.add_argument(
            "--order", "--orders", dest="orders", type=numbers, default=[1.0], metavar="Q,...", help=_ORDERS
        )
    group.add_argument("--metric", choices=("euclidean", "cosine"), default="euclidean", help="(default: euclidean)")
    group.add_argument("--alpha", type=number, default=0.0, help="density that is divided out, 0 to 1 (default: 0)")
    group.add_argument("--seed", type=int, default=0, help="seed of all that is random (default: 0)")
    group.add_argument("--solver", choices=("exact", "stochastic"), default="exact", help="(default: exact)")
    group.add_argument("--tol", type=number, metavar="BITS", help="tolerance of the stochastic solver")
    group.add_argument("--num-threads", type=int, metavar="N", help="threads (default: those of the machine)")


_BANDWIDTH = (
    "a number, median, knn, or structure: the multiple of the median distance at which the data differ most from "
    "noise (default: median)"
)

_ORDERS = "Renyi orders, inf among them (default: 1)"


def add_null(parser: argparse.ArgumentParser) -> None:
    """Add the options of surrogates."""
    group = parser.add_argument_group("surrogates")
    group.add_argument("--null", choices=("gaussian", "permuted", "sphere"), help="surrogates to compare with")
    group.add_argument("--n-null", type=int, metavar="N", help="number of surrogates (default: 20)")


def add_output(parser: argparse.ArgumentParser, *, jobs: bool = True) -> None:
    """Add the options of the output."""
    group = parser.add_argument_group("output")
    group.add_argument("--format", choices=FORMATS, default="table", help="(default: table)")
    group.add_argument("--plot", metavar="PICTURE", type=os.path.expanduser, help="file of a figure; .png, .pdf")
    if jobs:
        group.add_argument("--jobs", type=count, default=1, metavar="N", help="files at a time (default: 1)")
    group.add_argument("--progress", action="store_true", help="say on stderr which file is done")


def number(text: str) -> float:
    """Convert to a number."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, got {text[:60]!r}") from None


def numbers(text: str) -> list[float]:
    """Convert numbers with commas between them."""
    return [number(part) for part in text.split(",")]


def count(text: str) -> int:
    """Convert to an integer, at least 1."""
    value = number(text)
    if not (1 <= value < math.inf and value == int(value)):
        raise argparse.ArgumentTypeError(f"must be an integer, at least 1, got {text[:60]!r}")
    return int(value)


def bandwidth_of(text: str) -> float | str:
    """Convert to a number, or to the name of a rule, which the measure checks."""
    try:
        return float(text)
    except ValueError:
        return text


def bandwidths(text: str) -> list[float | str]:
    """Convert numbers and rules with commas between them."""
    return [bandwidth_of(part) for part in text.split(",")]


def rows(text: str) -> slice:
    """Convert ``START:STOP`` or ``START:STOP:STEP``, of which each part may be missing."""
    parts = text.split(":")
    try:
        if not 2 <= len(parts) <= 3:
            raise ValueError(text)
        return slice(*(int(part) if part else None for part in parts))
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be START:STOP or START:STOP:STEP, got {text[:60]!r}") from None


def solver_of(options: argparse.Namespace) -> Any:
    """Return the solver of the options; a tolerance is that of the stochastic one."""
    if options.tol is None:
        return options.solver
    if options.solver == "exact":
        raise ValueError("tol must not be given where solver is 'exact'")
    from dsentropy import Stochastic

    return Stochastic(tol=options.tol)


def shared(options: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments that all measures take, by name."""
    return {
        "alpha": options.alpha,
        "metric": options.metric,
        "random_state": options.seed,
        "num_threads": options.num_threads,
        "solver": solver_of(options),
    }
