"""Bodies and answers of logistics v1."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from system_apis.canonical.entities import Shipment, ShipmentLine, TrackingEvent
from system_apis.canonical.values import AccountId, Address, RecordId, Reference, Text, WarehouseId

ShipmentLines = Annotated[tuple[ShipmentLine, ...], Meta(min_length=1, max_length=500)]
ShipmentStatus = Literal["released", "picked", "dispatched", "delivered", "delayed", "cancelled"]


class NewShipment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Goods to be sent from one warehouse to one address for one order."""

    account_id: AccountId
    order_reference: Reference
    warehouse: WarehouseId
    lines: ShipmentLines
    ship_to: Address
    promised_on: date | None = None


class ForAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose shipment it is: named in every change, so that ownership is judged before the change."""

    account_id: AccountId


class CancelResult(Struct, frozen=True, kw_only=True):
    """The reference is undone. ``nothing_to_cancel``: it never was, and a late original is refused."""

    reference: Reference
    account_id: AccountId
    outcome: Literal["cancelled", "nothing_to_cancel"]
    shipment: Shipment | None = None


class Delay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The new day and the reason, and whose shipment it must be."""

    account_id: AccountId
    promised_on: date
    note: Text = ""


class Tracking(Struct, frozen=True, kw_only=True):
    """Where a shipment is; carrier and tracking number are empty until it is dispatched."""

    shipment_id: RecordId
    account_id: AccountId
    status: ShipmentStatus
    carrier: str
    tracking_number: str
    promised_on: date | None
    events: tuple[TrackingEvent, ...]
