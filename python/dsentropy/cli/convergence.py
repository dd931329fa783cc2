"""``dsentropy convergence``: the entropy of a file against the number of rows, and whether it still moves."""

from __future__ import annotations

import argparse
from typing import Any

from dsentropy.cli import options as _options
from dsentropy.cli import structure

HELP = "entropy against the number of rows"

EXAMPLE = "dsentropy convergence hidden.npy --n-repeats 20 --plot convergence.png"

COLUMNS = (
    "layer", "n", "bandwidth_rule", "bandwidth", "t", "order", "value", "standard_deviation", "change", "moves",
)  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = (
        "Measure the entropy of nested random subsets of the rows, in bits, and its change a doubling. At the "
        "largest number of rows, 'moves' says whether the value may still move by more than the tolerance."
    )
    _options.add_files(parser, several=False)
    _options.add_reading(parser)
    _options.add_measuring(parser)
    group = parser.add_argument_group("random subsets")
    group.add_argument("--sizes", type=_sizes, metavar="N,...", help="numbers of rows (default: all, half, ...)")
    group.add_argument("--n-repeats", type=int, default=10, metavar="N", help="random orders (default: 10)")
    group.add_argument("--tolerance", type=_options.number, default=0.05, help="change that is none (default: 0.05)")
    _options.add_output(parser, jobs=False)


def execute(options: argparse.Namespace) -> None:
    """Measure the file, and write a record for each size, t and order."""
    from dsentropy.cli import inputs, picture
    from dsentropy.cli.output import Output
    from dsentropy.cli.results import records_of, rule_of

    picture.require_plot(options.plot)

    def work(path: str) -> Any:
        return inputs.timed(path, options, lambda rows: measured(rows.X, options))

    for outcome in inputs.outcomes([options.file], work, str, options):
        rows, started, found = outcome.result
        table = found.to_dict()
        table["value"] = table.pop("mean")
        each = [bool(moves) for moves in found.moves.ravel()]
        table["moves"] = [None] * (len(table["value"]) - len(each)) + each
        fields = {"measure": "dse", "precision": "auto", "bandwidth_rule": rule_of(options.bandwidth)}
        bandwidth = found.bandwidth if isinstance(found.bandwidth, float) else None
        output = Output(options.format, COLUMNS)
        output.add(records_of(table, options, rows, started, outcome.warnings, bandwidth=bandwidth, **fields))
        output.end()
        picture.draw(found, options.plot)


def measured(X: Any, options: argparse.Namespace) -> Any:
    """Compute the entropies of subsets of the rows."""
    from dsentropy import convergence

    return convergence(
        X,
        options.sizes,
        n_repeats=options.n_repeats,
        tolerance=options.tolerance,
        t=options.t,
        order=options.orders,
        bandwidth=structure.bandwidth_of_rows(X, options.bandwidth, options),
        **_options.shared(options),
    )


def _sizes(text: str) -> list[int]:
    return [_options.count(part) for part in text.split(",")]
