"""Events, version 1."""
