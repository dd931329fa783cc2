"""The command line as a module: ``python -m dsentropy``."""

from dsentropy.cli.main import main

if __name__ == "__main__":
    main()
