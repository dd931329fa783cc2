"""``dsentropy track``: what the logs of monitors say, as a table with a row a step, or as records."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

from dsentropy.cli import options as _options

if TYPE_CHECKING:
    from dsentropy.monitor import Curves, Records

HELP = "curves of the logs of a training"

_MAIN = ("dse", "dsmi", "dsmi_inputs")
"""Measures that are printed where none is named: the first one that a run has."""

EXAMPLE = "dsentropy track run.jsonl --measure dsmi --plot curves.png"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = (
        "Print a measure of each run in the logs of monitors: a row a step, a column a layer, with a * at values "
        "that are saturated. Other formats than the table have all records of the measure, or of all measures where "
        "none is named."
    )
    parser.add_argument("files", metavar="LOG", nargs="+", help="log of a monitor")
    parser.add_argument("--measure", help="measure (default: the entropy, else an information)")
    parser.add_argument("--run", help="name of a run (default: all)")
    parser.add_argument("--t", type=_options.number, metavar="T", help="diffusion time (default: the first)")
    parser.add_argument("--order", type=_options.number, metavar="Q", help="Renyi order (default: the first)")
    _options.add_output(parser)


def execute(options: argparse.Namespace) -> None:
    """Read the logs, and write their curves or their records."""
    from dsentropy.cli import inputs, picture
    from dsentropy.cli.output import Output

    picture.require_plot(options.plot)
    output, found, failed = Output(options.format, ()), [], None
    try:
        for outcome in inputs.outcomes(options.files, lambda path: _read(path, options), str, options):
            records, curves = outcome.result
            for name, of_run in curves.items():
                found.append((f"{outcome.name}: {name}", of_run))
                if options.format == "table":
                    _print(*found[-1], first=len(found) == 1)
            if options.format != "table":
                output.add(records)
    except inputs.Failed as error:
        failed = error
    output.end()
    if options.plot is not None and found:
        axes = picture.new_axes(len(found), width=6.0)
        for drawn, (title, curves) in zip(axes, found, strict=True):
            curves.plot(ax=drawn)
            drawn.set_title("\n".join(part for part in (picture.plain(title), drawn.get_title()) if part))
        picture.save(axes[0], options.plot)
    if failed is not None:
        raise failed


def _read(path: str, options: argparse.Namespace) -> tuple[Records, dict[str, Curves]]:
    """Return the records of a log that are chosen, and the curves of each run."""
    from dsentropy.monitor import read_log

    records = read_log(path)
    if not records:
        raise ValueError("it has no records")
    runs = dict.fromkeys(record["run"] for record in records) if options.run is None else [options.run]
    curves = {}
    for run in runs:
        measures = {record["measure"] for record in records if record["run"] == run}
        measure = options.measure or next((one for one in _MAIN if one in measures), None)
        curves[run] = records.curves(measure, t=options.t, order=options.order, run=run)
    return records.select(options.measure, run=options.run, t=options.t, order=options.order), curves


def _print(title: str, curves: Curves, first: bool) -> None:
    from dsentropy.cli.output import print_table

    print(f"{'' if first else chr(10)}{title}, {curves.label}")
    ends = curves.saturated.tolist()
    marked = [any(column) for column in zip(*ends, strict=True)]
    rows: list[list[Any]] = [
        [step, *(_cell(*each) for each in zip(values, of_step, marked, strict=True))]
        for step, values, of_step in zip(curves.steps, curves.values.tolist(), ends, strict=True)
    ]
    names = [f"{layer}{' ' * mark}" for layer, mark in zip(curves.layers, marked, strict=True)]
    print_table(["step", *names], rows, at_right=True)
    if any(marked):
        print("* saturated, within 2% of an end of its range: says little about the layer")


def _cell(value: float, is_saturated: bool, is_marked: bool) -> float | str | None:
    """Return a value of a table, with a mark or the room for one where its column has marks."""
    if math.isnan(value):
        return None
    return f"{value:.5g}{'*' if is_saturated else ' '}" if is_marked else value
