"""Exceptions, version 1."""
