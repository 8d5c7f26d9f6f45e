"""What an inbound operation takes: a webhook whose signature held, as its sender wrote it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

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


class Receipt(Struct, frozen=True, kw_only=True):
    """What its sender is told of a delivery: there is no need to send it again."""

    event_id: str
    outcome: Literal["kept", "repeated", "passed_over"]
    """``repeated``: this event was kept before. ``passed_over``: it is of a kind that nobody here waits for."""
