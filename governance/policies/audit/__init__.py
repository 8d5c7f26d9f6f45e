"""Audit: who did what to which record, on whose behalf. See ``enforcement`` for what it guarantees."""

from governance.policies.audit.enforcement import AuditFolder, Enforcement
from governance.policies.audit.settings import Settings

__all__ = ["AuditFolder", "Enforcement", "Settings"]
