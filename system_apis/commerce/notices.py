"""What the vendor behind commerce reports by webhook, in canonical terms."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from system_apis.canonical.values import RecordId, Text

Kind = Literal["created", "cancelled"]


class ChannelOrderNotice(Struct, frozen=True, kw_only=True):
    """What a channel reports of one of its orders."""

    kind: Kind
    occurred_at: datetime
    channel_order_id: RecordId
    reason: Text = ""


class ReceivedChannelOrderNotice(Struct, frozen=True, kw_only=True):
    """A notice as it was kept."""

    position: int
    event_id: str
    """The vendor's own id of it."""
    notice: ChannelOrderNotice


class ChannelOrderNotices(Struct, frozen=True, kw_only=True):
    """Notices in the order in which they were kept. Go on after ``position``."""

    items: tuple[ReceivedChannelOrderNotice, ...]
    position: int
