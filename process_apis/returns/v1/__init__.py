"""Returns, version 1."""
