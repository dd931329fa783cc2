"""Checks of arguments, each of which is coerced once; progress bars; warnings."""
