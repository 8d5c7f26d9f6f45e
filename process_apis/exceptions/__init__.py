"""Exceptions: what processes could not settle by themselves, for the people who can."""
