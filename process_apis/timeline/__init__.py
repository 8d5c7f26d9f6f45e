"""Timelines: what was done for a business process, over every tier and system, and how long it took."""
