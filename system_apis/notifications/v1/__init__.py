"""Notifications, version 1."""
