"""Logistics, version 1."""
