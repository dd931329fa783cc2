"""The command line: ``dsentropy``, or ``python -m dsentropy``.

Arguments are checked here; each command is a module, imported when it runs.
Exit codes: 0, 2 for arguments that are refused, before any work, and 1 where memory does not suffice.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from dsentropy import __version__
from dsentropy._checks.printing import printed

_MAX_EPOCHS = 10**6
"""The most epochs of the demo: they take a day."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that the arguments name, those of the process by default; without one print the help."""
    parser = argparse.ArgumentParser(
        prog="dsentropy", description="Diffusion spectral entropy and mutual information."
    )
    parser.add_argument("--version", action="version", version=f"dsentropy {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    demo = commands.add_parser(
        "demo",
        help="watch a hidden layer learn handwritten digits",
        description="Train a small network on scikit-learn's digits, with true and with shuffled labels, and print "
        "the entropy of its hidden layer and its information about labels and images as it learns.",
    )
    demo.add_argument("--epochs", type=_epochs, default=60, help="epochs of training (default: 60)")
    demo.add_argument("--every", type=_epochs, default=5, help="epochs between measurements (default: 5)")
    demo.add_argument(
        "--plot",
        metavar="FILE",
        type=_plot_path,
        default="dsentropy-demo.png",
        help="picture of the curves, drawn if matplotlib is installed (default: dsentropy-demo.png)",
    )
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return

    from dsentropy.cli import demo as _demo

    try:
        _demo.run(options.epochs, options.every, options.plot)
    except MemoryError as error:  # its ways out are arguments that the command line does not have
        parser.exit(1, f"dsentropy demo: too little memory: {error.__cause__ or error}\n")


def _epochs(text: str) -> int:
    try:
        number = int(text)
    except ValueError:  # of no number, and of one with more digits than Python reads
        raise argparse.ArgumentTypeError(f"must be an integer, got {printed(text)}") from None
    if not 1 <= number <= _MAX_EPOCHS:
        raise argparse.ArgumentTypeError(f"must be from 1 to {_MAX_EPOCHS}, got {printed(number)}")
    return number


def _plot_path(text: str) -> str:
    from dsentropy.cli.demo import require_plot_path

    path = os.path.expanduser(text)
    try:
        require_plot_path(path)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return path


if __name__ == "__main__":
    main()
