"""Subscriptions, version 1."""
