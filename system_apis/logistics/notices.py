"""What the vendor behind logistics reports by webhook, in canonical terms."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from system_apis.canonical.values import RecordId, Text

Kind = Literal["picked", "dispatched", "delayed", "delivered"]


class ShipmentNotice(Struct, frozen=True, kw_only=True):
    """What the warehouse or its carrier reports of a shipment."""

    kind: Kind
    occurred_at: datetime
    shipment_id: RecordId
    promised_on: date | None = None
    """The new day of a delayed one."""
    reason: Text = ""


class ReceivedShipmentNotice(Struct, frozen=True, kw_only=True):
    """A notice as it was kept."""

    position: int
    event_id: str
    """The vendor's own id of it."""
    notice: ShipmentNotice


class ShipmentNotices(Struct, frozen=True, kw_only=True):
    """Notices in the order in which they were kept. Go on after ``position``."""

    items: tuple[ReceivedShipmentNotice, ...]
    position: int
