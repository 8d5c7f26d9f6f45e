"""What an inbound operation takes: a webhook whose signature held, as its sender wrote it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Delivery(Struct, frozen=True, kw_only=True):
    """One verified delivery. Its body is the vendor's own: the connector alone reads it."""

    system: str
    """The API that it came to, such as ``payments``."""
    event_id: str
    """What its sender calls the event; the same on every repeat."""
    sent_at: datetime
    """When its sender signed it."""
    body: bytes
