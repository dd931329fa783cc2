"""``dsentropy layers``: the entropies of the layers of a network, one a file or an array, and a figure by depth."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from dsentropy.cli import options as _options
from dsentropy.cli import structure

if TYPE_CHECKING:
    from dsentropy import LayerEntropies
    from dsentropy.cli.inputs import Rows

HELP = "entropies of the layers of a network, one a file or an array"

EXAMPLE = "dsentropy layers activations/ --null gaussian --plot layers.png"

COLUMNS = (
    "layer", "n", "d", "bandwidth_rule", "bandwidth", "t", "order", "value", "standard_error", "null_mean",
    "structure", "z", "p_value", "like_noise", "saturation",
)  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = (
        "Measure the diffusion spectral entropy of each layer. A FILE is a layer, an archive whose arrays are "
        "layers, or a folder of files, in the order of the numbers in their names. --key takes patterns, as 'block*'."
    )
    _options.add_files(parser)
    _options.add_reading(parser)
    _options.add_measuring(parser)
    _options.add_null(parser)
    _options.add_output(parser)


def execute(options: argparse.Namespace) -> None:
    """Read the layers, measure each, and write a record for each reading."""
    from dsentropy.cli import inputs

    files = inputs.expanded(options.files)
    names = dict(zip(files, inputs.short_names(files), strict=True))

    def read(path: str) -> list[Rows]:
        found = inputs.read_each(path, options)
        if len(found) == 1:
            return [found[0]._replace(name=names[path])]
        prefix = "" if len(files) == 1 else f"{names[path]}:"
        return [one._replace(name=prefix + one.name) for one in found]

    if options.bandwidth == structure.RULE:
        suggested = structure.Suggested(files, read, options)
        measure_each(files, suggested.read, options, suggested)
    else:
        measure_each(files, read, options)


def measure_each(
    files: list[str], read: Any, options: argparse.Namespace, suggested: structure.Suggested | None = None
) -> None:
    """Measure the arrays of each file, write the records, and draw the entropies by depth.

    With ``suggested`` the arrays have bandwidths that were found for all of them, else each has its own by the rule.
    """
    from dataclasses import replace

    from dsentropy.cli import inputs, picture
    from dsentropy.cli.output import Output

    picture.require_plot(options.plot)
    output, failed = Output(options.format, COLUMNS), None
    found: list[LayerEntropies] = []

    def work(path: str) -> list[Any]:
        return [measured(rows, options, suggested) for rows in read(path)]

    try:
        for outcome in inputs.outcomes(files, work, str, options):
            for rows, started, entropies in outcome.result:
                output.add(_records(rows, started, entropies, outcome.warnings, len(found), options))
                found.append(entropies)
    except inputs.Failed as error:
        failed = error
    output.end()
    if options.plot is not None and found:
        drawn = joined(found)
        picture.draw(replace(drawn, names=tuple(map(picture.plain, drawn.names))), options.plot)
    if failed is not None:
        raise failed


def measured(
    rows: Rows, options: argparse.Namespace, suggested: structure.Suggested | None
) -> tuple[Rows, float, LayerEntropies]:
    """Compute the entropies of one array; the seed is that of each, so they are those of one call."""
    from dataclasses import replace

    from dsentropy import layer_entropies

    started = time.perf_counter()
    found = layer_entropies(
        {rows.name: rows.X},
        options.bandwidth if suggested is None else suggested.bandwidth(rows.name),
        options.t,
        options.orders,
        null=options.null,
        n_null=options.n_null,
        **_options.shared(options),
    )
    if suggested is not None:
        found = replace(found, suggestion=suggested.found, rules=(structure.RULE,))
    return rows, started, found


def joined(found: list[LayerEntropies]) -> LayerEntropies:
    """Return the entropies of several calls as those of one."""
    from dataclasses import fields, replace

    import numpy as np

    same = ("t", "orders", "null_name", "suggestion", "rules")
    parts: dict[str, Any] = {}
    for name in (field.name for field in fields(found[0]) if field.name not in same):
        values = [getattr(one, name) for one in found]
        if isinstance(values[0], tuple):
            parts[name] = tuple(entry for value in values for entry in value)
        elif values[0] is not None:
            parts[name] = np.concatenate(values)
    return replace(found[0], **parts)


def _records(
    rows: Rows, started: float, found: LayerEntropies, warnings: list[str], depth: int, options: argparse.Namespace
) -> list[Any]:
    from dsentropy.cli.results import records_of, rule_of

    fields: dict[str, Any] = {"measure": "dse", "depth": depth, "null": options.null, "precision": "auto"}
    fields["bandwidth_rule"] = rule_of(options.bandwidth)
    return records_of(found.to_dict(), options, rows, started, warnings, **fields)
