"""Warehouse and carrier systems, one folder each."""
