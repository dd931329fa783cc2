"""``dsentropy surface``: the entropy of one file over bandwidths and diffusion times."""

from __future__ import annotations

import argparse
from typing import Any

from dsentropy.cli import options as _options
from dsentropy.cli import structure

HELP = "entropy over bandwidths and diffusion times"

EXAMPLE = "dsentropy surface hidden.npy --t 1,5,20 --null gaussian --plot surface.png"

COLUMNS = (
    "layer",
    "n",
    "bandwidth_rule",
    "bandwidth",
    "t",
    "order",
    "value",
    "null_mean",
    "structure",
    "z",
    "p_value",
    "like_noise",
    "saturation",
)

MULTIPLES = tuple(2.0 ** (power / 2) for power in range(-6, 5))
"""Bandwidths in medians where none are given: from an eighth to four."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = "Measure the entropy of a file over bandwidths and diffusion times, in bits."
    _options.add_files(parser, several=False)
    _options.add_reading(parser)
    _options.add_measuring(parser, bandwidth=False)
    text = "numbers, median, knn or structure (default: 11 from an eighth of the median to four)"
    parser.add_argument("--bandwidth", "--bandwidths", dest="bandwidths", type=_options.bandwidths, help=text)
    _options.add_null(parser)
    _options.add_output(parser, jobs=False)


def execute(options: argparse.Namespace) -> None:
    """Measure the file, and write a record for each bandwidth, t and order."""
    from dsentropy.cli import inputs, picture
    from dsentropy.cli.output import Output
    from dsentropy.cli.results import records_of, rule_of

    picture.require_plot(options.plot)

    def work(path: str) -> Any:
        return inputs.timed(path, options, lambda rows: measured(rows.X, options))

    for outcome in inputs.outcomes([options.file], work, str, options):
        rows, started, found = outcome.result
        rules = [rule_of(bandwidth) for bandwidth in options.bandwidths or MULTIPLES]
        table = found.to_dict()
        table["bandwidth_rule"] = [rule for rule in rules for _ in range(found.values[0].size)]
        fields = {"measure": "dse", "precision": "auto", "null": options.null}
        output = Output(options.format, COLUMNS)
        output.add(records_of(table, options, rows, started, outcome.warnings, **fields))
        output.end()
        picture.draw(found, options.plot)


def measured(X: Any, options: argparse.Namespace) -> Any:
    """Compute the surface of rows."""
    from dsentropy import entropy_surface, estimate_bandwidth

    arguments = _options.shared(options)
    alpha = arguments.pop("alpha")
    chosen: Any = options.bandwidths
    if chosen is None:
        kind = {name: arguments[name] for name in ("metric", "random_state", "num_threads")}
        chosen = [multiple * estimate_bandwidth(X, **kind) for multiple in MULTIPLES]
    else:
        chosen = [structure.bandwidth_of_rows(X, one, options) for one in chosen]
    null = {"null": options.null, "n_null": options.n_null}
    return entropy_surface(X, chosen, options.t, options.orders, alpha, **null, **arguments)
