"""Arguments, checked and coerced once."""
