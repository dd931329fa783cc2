"""``dsentropy entropy``: the diffusion spectral entropy of the rows of each file."""

from __future__ import annotations

import argparse

from dsentropy.cli import options as _options

HELP = "entropy of the rows of each file"

EXAMPLE = "dsentropy entropy hidden.npy --t 1,2,5 --format json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = "Measure the diffusion spectral entropy of the rows of each file, in bits."
    _options.add_files(parser)
    _options.add_reading(parser)
    _options.add_measuring(parser)
    _options.add_null(parser)
    _options.add_output(parser)


def execute(options: argparse.Namespace) -> None:
    """Measure one array of each file."""
    from dsentropy.cli import inputs
    from dsentropy.cli.layers import measure_each

    measure_each(options.files, lambda path: [inputs.read(path, options)], options)
