"""Idempotency: one key, one effect, one answer. See ``enforcement`` for what it guarantees."""

from governance.policies.idempotency.enforcement import Enforcement
from governance.policies.idempotency.settings import Settings

__all__ = ["Enforcement", "Settings"]
