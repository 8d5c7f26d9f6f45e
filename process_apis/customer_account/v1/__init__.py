"""Customer account, version 1."""
