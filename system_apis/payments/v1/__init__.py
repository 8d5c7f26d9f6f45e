"""Payments, version 1."""
