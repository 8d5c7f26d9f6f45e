"""Webhook signatures: who delivers. See ``enforcement`` for what it guarantees."""

from governance.policies.webhook_signature.enforcement import Enforcement
from governance.policies.webhook_signature.settings import Settings, Source

__all__ = ["Enforcement", "Settings", "Source"]
