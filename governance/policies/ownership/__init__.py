"""Ownership: whose records a caller sees. See ``enforcement`` for what it guarantees."""

from governance.policies.ownership.directory import AccountDirectory, Settings, Visibility
from governance.policies.ownership.enforcement import Enforcement

__all__ = ["AccountDirectory", "Enforcement", "Settings", "Visibility"]
