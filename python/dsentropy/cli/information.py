"""``dsentropy information``: the mutual information of embeddings with labels, or another target."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from dsentropy.cli import options as _options

if TYPE_CHECKING:
    from dsentropy.cli.inputs import Rows

HELP = "mutual information of the rows with labels"

EXAMPLE = "dsentropy information hidden.npy --target labels.csv:digit --permutations 99"

COLUMNS = (
    "layer", "n", "d", "bandwidth_rule", "bandwidth", "t", "value", "standard_error", "z", "p_value", "ceiling",
)  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = (
        "Measure the diffusion spectral mutual information of the rows of each file with a target, in bits. LABELS "
        "is a file of labels, a column as table.csv:column, an array as archive.npz:name, or a JSON list."
    )
    _options.add_files(parser)
    parser.add_argument("--target", metavar="LABELS", required=True, help="labels, or numbers, one a row of the file")
    _options.add_reading(parser)
    _options.add_measuring(parser, orders=False)
    group = parser.add_argument_group("classes and tests")
    group.add_argument("--n-clusters", type=int, metavar="N", help="bins of a target of numbers (default: 10)")
    group.add_argument("--binning", choices=("width", "quantile"), help="how numbers are cut into bins")
    group.add_argument("--repeats", type=int, default=20, metavar="N", help="random subsets a class (default: 20)")
    group.add_argument("--permutations", type=int, default=0, metavar="N", help="permutations of a test (default: 0)")
    _options.add_output(parser)


def execute(options: argparse.Namespace) -> None:
    """Read the target and the rows, measure each file, and write a record for each t."""
    from dsentropy.cli import inputs, picture
    from dsentropy.cli.output import Output
    from dsentropy.io import read_labels

    picture.require_plot(options.plot)
    try:
        target = read_labels(options.target)
    except ValueError as error:
        raise _of_target(error) from error
    output, axes, failed = Output(options.format, COLUMNS), None, None

    def work(path: str) -> tuple[Rows, float, Any]:
        return inputs.timed(path, options, lambda rows: measured(rows, target, options))

    try:
        for outcome in inputs.outcomes(options.files, work, str, options):
            rows, started, found = outcome.result
            output.add(_records(rows, started, found, outcome.warnings, options))
            if options.plot is not None:
                axes = axes or picture.new_axes(len(options.files), width=5.0)
                drawn = axes[options.files.index(outcome.name)]
                found.plot(ax=drawn)
                drawn.set_title(picture.plain(outcome.name))
    except inputs.Failed as error:
        failed = error
    output.end()
    if axes is not None:
        picture.save(axes[0], options.plot)
    if failed is not None:
        raise failed


def _of_target(error: ValueError) -> ValueError:
    """Return an error of labels that speaks of --target, as --key is that of the embeddings."""
    from dsentropy.io.files import FileError

    if not isinstance(error, FileError):
        return ValueError(re.sub("^path must", "target must", str(error)))
    way = "target must be FILE:NAME, whose NAME"
    return FileError(error.path, re.sub("^key(?= must)", way, error.reason), str(error))


def measured(rows: Rows, target: Any, options: argparse.Namespace) -> Any:
    """Compute the information of the rows of one file."""
    from dsentropy import mutual_information
    from dsentropy.cli.inputs import row_index

    if len(target) != rows.n_all:
        raise ValueError(f"target must have one label for each of the {rows.n_all} rows, got {len(target)}")
    return mutual_information(
        rows.X,
        target[row_index(rows.n_all, options)],
        bandwidth=options.bandwidth,
        t=options.t,
        n_clusters=options.n_clusters,
        binning=options.binning,
        n_repeats=options.repeats,
        n_permutations=options.permutations,
        **_options.shared(options),
    )


def _records(rows: Rows, started: float, found: Any, warnings: list[str], options: argparse.Namespace) -> list[Any]:
    from dsentropy.cli.results import records_of, rule_of

    bandwidth = found.bandwidth if isinstance(found.bandwidth, float) else None
    fields = {"measure": "dsmi", "order": 1.0, "bandwidth_rule": rule_of(options.bandwidth), "bandwidth": bandwidth}
    null = "permutations" if options.permutations else None
    return records_of(found.to_dict(), options, rows, started, warnings, precision="auto", null=null, **fields)
