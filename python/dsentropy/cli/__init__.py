"""The command line, and the demo that it runs."""
