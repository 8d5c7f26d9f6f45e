"""Proving a running gateway: what it was made from, with whose tokens, and the run itself."""
