"""Catalogue, version 1."""
