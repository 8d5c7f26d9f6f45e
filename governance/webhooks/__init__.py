"""Webhooks: how deliveries are signed, and where those that came in are kept."""

from governance.webhooks.inbox import Inbox, Received, opened
from governance.webhooks.migration import MIGRATIONS
from governance.webhooks.schemes import (
    SCHEMES,
    Claim,
    Scheme,
    StandardWebhooks,
    TimestampedHmac,
    Unsigned,
    VendorSchemes,
)
from governance.webhooks.signing import matches, new_secret, standard_key, standard_signature

__all__ = [
    "MIGRATIONS",
    "SCHEMES",
    "Claim",
    "Inbox",
    "Received",
    "Scheme",
    "StandardWebhooks",
    "TimestampedHmac",
    "Unsigned",
    "VendorSchemes",
    "matches",
    "new_secret",
    "opened",
    "standard_key",
    "standard_signature",
]
