"""The command line: ``dsentropy``, or ``python -m dsentropy``.

Each command is a module of this package, imported when it is named. Numbers are on the standard output, warnings and
errors on the standard error. Exit codes: 0; 2 for bad input, with a line that names the file and the reason; 1 where
memory does not suffice; 130 upon Ctrl-C. A reader that closes the standard output, as ``head`` does, is no error.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence

from dsentropy._core import __version__

COMMANDS = ("entropy", "information", "layers", "surface", "compare", "convergence", "track", "demo")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that the arguments name, those of the process by default; without one print the help."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser, commands = _parser(next((argument for argument in given if argument in COMMANDS), None))
    options = parser.parse_args(given)
    if options.command is None:
        parser.print_help()
        return
    _print_every_name()
    try:
        importlib.import_module(f"dsentropy.cli.{options.command}").execute(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has all that it wants; what is left in the buffer goes nowhere
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        _end(commands[options.command], options.command, error)


def _print_every_name() -> None:
    """Make the standard output escape what its encoding lacks, so that no name of a file ends a command."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def _end(parser: argparse.ArgumentParser, command: str, error: Exception) -> None:
    """Exit with 2 for an error of the input, and raise any other."""
    from dsentropy.cli.inputs import Failed, complain

    if isinstance(error, MemoryError):  # its ways out are arguments that the command line does not have
        parser.exit(1, f"dsentropy {command}: too little memory: {error.__cause__ or error}\n")
    if not isinstance(error, (Failed, ValueError, TypeError, ImportError, OSError)):
        raise error
    if not isinstance(error, Failed):
        complain(command, "", error)
    sys.exit(2)


def _parser(named: str | None) -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """Return the parser, and those of the commands, of which the one that is named has its options."""
    parser = argparse.ArgumentParser(
        prog="dsentropy", description="Diffusion spectral entropy and mutual information of embeddings in files."
    )
    parser.add_argument("--version", action="version", version=f"dsentropy {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    parsers = {}
    for name in COMMANDS:
        module = importlib.import_module(f"dsentropy.cli.{name}") if named in (name, None) else None
        parsers[name] = commands.add_parser(
            name,
            help=module.HELP if module else None,
            epilog=f"example: {module.EXAMPLE}" if module else None,
        )
        if module:
            module.configure(parsers[name])
    return parser, parsers


if __name__ == "__main__":
    main()
