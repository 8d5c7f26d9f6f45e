"""Portal, version 1."""
