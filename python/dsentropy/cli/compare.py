"""``dsentropy compare``: the difference of the entropies of two files over random subsets of their rows."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import Any

from dsentropy.cli import options as _options
from dsentropy.cli import structure

HELP = "difference of the entropies of two files, with an interval"

EXAMPLE = "dsentropy compare before.npy after.npy --n-samples 500"

COLUMNS = (
    "layer", "n", "bandwidth_rule", "first_bandwidth", "second_bandwidth", "t", "order", "first_entropy",
    "second_entropy", "value", "interval_low", "interval_high",
)  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = (
        "Measure the entropy of A less that of B over random subsets of the rows, in bits, with a confidence "
        "interval of the expected difference. Rows of A and B are of the same samples, unless --unpaired."
    )
    parser.add_argument("first", metavar="A", help="file of embeddings")
    parser.add_argument("second", metavar="B", help="file of embeddings")
    _options.add_reading(parser)
    _options.add_measuring(parser)
    group = parser.add_argument_group("random subsets")
    group.add_argument("--n-samples", type=int, metavar="N", help="rows of a subset (default: half, at most 1000)")
    group.add_argument("--n-repeats", type=int, metavar="N", help="subsets (default: 20, or 40 of a population)")
    text = (
        "what the interval is over: random subsets of these rows, or other samples of as many rows (default: subsets)"
    )
    group.add_argument("--interval", choices=("subsets", "population"), default="subsets", help=text)
    group.add_argument("--confidence", type=_options.number, default=0.95, help="of the interval (default: 0.95)")
    group.add_argument("--unpaired", action="store_true", help="rows of A and B are of other samples")
    _options.add_output(parser)


def execute(options: argparse.Namespace) -> None:
    """Read both files, compare them, and write a record for each t and order."""
    from dsentropy.cli import inputs, picture
    from dsentropy.cli.output import Output
    from dsentropy.cli.results import records_of, rule_of

    picture.require_plot(options.plot)
    files = [options.first, options.second]
    read = inputs.outcomes(files, lambda path: inputs.read(path, options), str, options)
    first, second = (outcome.result for outcome in read)
    started = time.perf_counter()
    name = f"{first.name} - {second.name}"
    options.progress = False
    measured = inputs.outcomes([name], lambda _: compared(first.X, second.X, options), str, options)
    for outcome in measured:
        table = outcome.result.to_dict()
        table["value"] = table.pop("difference")
        fields: dict[str, Any] = {
            "measure": "dse_difference",
            "precision": "auto",
            "bandwidth_rule": rule_of(options.bandwidth),
        }
        for place in ("first", "second"):
            table.pop(place)
        fields |= {"n": outcome.result.n_samples, "first": first.name, "second": second.name}
        for place, number in zip(("first", "second"), outcome.result.bandwidth.values(), strict=True):
            fields[f"{place}_bandwidth"] = number if isinstance(number, float) else None
        output = Output(options.format, COLUMNS)
        rows = first._replace(name=name)
        output.add(records_of(table, options, rows, started, outcome.warnings, **fields))
        output.end()
        names = tuple(map(picture.plain, inputs.short_names(files)))
        picture.draw(replace(outcome.result, names=(names,)), options.plot)


def compared(A: Any, B: Any, options: argparse.Namespace) -> Any:
    """Compare the rows of both files."""
    from dsentropy import compare

    return compare(
        A,
        B,
        interval=options.interval,
        paired=not options.unpaired,
        n_samples=options.n_samples,
        n_repeats=options.n_repeats,
        confidence=options.confidence,
        t=options.t,
        order=options.orders,
        bandwidth=structure.bandwidth_of_pair(A, B, options),
        **_options.shared(options),
    )
