"""What happens to a shipment."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from process_apis.events.kind import kind
from system_apis.canonical.values import AccountId, RecordId, WarehouseId


@kind("shipment.created")
class ShipmentCreated(Struct, frozen=True, kw_only=True):
    """A warehouse has a part of an order to send."""

    shipment_id: RecordId
    order_id: RecordId
    account_id: AccountId
    warehouse: WarehouseId


@kind("shipment.dispatched")
class ShipmentDispatched(Struct, frozen=True, kw_only=True):
    """A shipment left its warehouse."""

    shipment_id: RecordId
    order_id: RecordId
    account_id: AccountId
    carrier: str = ""
    tracking_number: str = ""


@kind("shipment.delayed")
class ShipmentDelayed(Struct, frozen=True, kw_only=True):
    """A shipment comes later than was promised."""

    shipment_id: RecordId
    order_id: RecordId
    account_id: AccountId
    promised_on: date | None = None
    carrier: str = ""
    tracking_number: str = ""


@kind("shipment.delivered")
class ShipmentDelivered(Struct, frozen=True, kw_only=True):
    """The customer has a shipment."""

    shipment_id: RecordId
    order_id: RecordId
    account_id: AccountId
    carrier: str = ""
    tracking_number: str = ""


@kind("shipment.cancelled")
class ShipmentCancelled(Struct, frozen=True, kw_only=True):
    """A shipment is not sent."""

    shipment_id: RecordId
    order_id: RecordId
    account_id: AccountId
