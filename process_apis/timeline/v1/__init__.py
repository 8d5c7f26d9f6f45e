"""Timeline, version 1."""
