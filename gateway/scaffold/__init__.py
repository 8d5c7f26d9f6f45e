"""Skeletons of APIs, connectors and policies: ``tiergate new``."""
