"""``dsentropy information``: the mutual information of embeddings with labels, or another target."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dsentropy.cli import options as _options
from dsentropy.cli import structure

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
        "Measure the diffusion spectral mutual information of the rows of each file, or of each array of an archive, "
        "with a target, in bits. --key takes patterns. LABELS "
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
    output, drawn, failed = Output(options.format, COLUMNS), [], None
    read = _reader(options)
    suggested = structure.Suggested(options.files, read, options) if options.bandwidth == structure.RULE else None

    def work(path: str) -> list[tuple[Rows, float, Any]]:
        each = read(path) if suggested is None else suggested.read(path)
        return [measured(rows, target, options, suggested) for rows in each]

    try:
        for outcome in inputs.outcomes(options.files, work, str, options):
            for rows, started, found in outcome.result:
                output.add(_records(rows, started, found, outcome.warnings, options))
                drawn.append((rows.name, found))
    except inputs.Failed as error:
        failed = error
    output.end()
    if options.plot is not None and drawn:
        _draw(drawn, options.plot)
    if failed is not None:
        raise failed


def _reader(options: argparse.Namespace) -> Callable[[str], list[Rows]]:
    """Return the function that reads the arrays of a file, but the one that is the target."""
    from dsentropy.cli import inputs

    def read(path: str) -> list[Rows]:
        own = options.target.removeprefix(f"{path}:") if options.target.startswith(f"{path}:") else None
        found = inputs.read_each(path, options, own)
        names = [path] if len(found) == 1 else [f"{path}:{one.name}" for one in found]
        return [one._replace(name=name) for one, name in zip(found, names, strict=True)]

    return read


def _draw(found: list[tuple[str, Any]], path: str) -> None:
    """Draw each information in a panel of its own."""
    from dsentropy.cli import picture

    axes = picture.new_axes(len(found), width=5.0)
    for panel, (name, information) in zip(axes, found, strict=True):
        information.plot(ax=panel)
        panel.set_title(picture.plain(name))
    picture.save(axes[0], path)


def _of_target(error: ValueError) -> ValueError:
    """Return an error of labels that speaks of --target, as --key is that of the embeddings."""
    from dsentropy.io.files import FileError

    if not isinstance(error, FileError):
        return ValueError(re.sub("^path must", "target must", str(error)))
    way = "target must be FILE:NAME, whose NAME"
    return FileError(error.path, re.sub("^key(?= must)", way, error.reason), str(error))


def measured(
    rows: Rows, target: Any, options: argparse.Namespace, suggested: structure.Suggested | None
) -> tuple[Rows, float, Any]:
    """Compute the information of the rows of one array."""
    from dsentropy import mutual_information
    from dsentropy.cli.inputs import row_index

    started = time.perf_counter()
    if len(target) != rows.n_all:
        raise ValueError(f"target must have one label for each of the {rows.n_all} rows, got {len(target)}")
    found = mutual_information(
        rows.X,
        target[row_index(rows.n_all, options)],
        bandwidth=options.bandwidth if suggested is None else suggested.bandwidth(rows.name),
        t=options.t,
        n_clusters=options.n_clusters,
        binning=options.binning,
        n_repeats=options.repeats,
        n_permutations=options.permutations,
        **_options.shared(options),
    )
    return rows, started, found


def _records(rows: Rows, started: float, found: Any, warnings: list[str], options: argparse.Namespace) -> list[Any]:
    from dsentropy.cli.results import records_of, rule_of

    bandwidth = found.bandwidth if isinstance(found.bandwidth, float) else None
    fields = {"measure": "dsmi", "order": 1.0, "bandwidth_rule": rule_of(options.bandwidth), "bandwidth": bandwidth}
    null = "permutations" if options.permutations else None
    return records_of(found.to_dict(), options, rows, started, warnings, precision="auto", null=null, **fields)
