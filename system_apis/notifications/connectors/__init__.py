"""Connectors of the notifications API, one folder a mail system."""
