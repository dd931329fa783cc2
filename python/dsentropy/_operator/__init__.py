"""From data to operators."""
