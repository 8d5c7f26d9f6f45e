"""Backup and restore of a home: everything that a gateway keeps there, in one file."""

from gateway.backup.manifest import NotABackup
from gateway.backup.restoring import NotRestored, restore
from gateway.backup.taking import take

__all__ = ["NotABackup", "NotRestored", "restore", "take"]
