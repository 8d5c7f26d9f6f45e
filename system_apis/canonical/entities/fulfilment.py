"""What happens around a sale: shop and marketplace orders, payments and shipments."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from system_apis.canonical.values import (
    AccountId,
    Address,
    Money,
    Name,
    Quantity,
    RecordId,
    Reference,
    Sku,
    UnitPrice,
    WarehouseId,
)


class StorefrontItem(Struct, frozen=True, kw_only=True):
    """A product as a storefront lists it."""

    sku: Sku
    channel: str
    title: Name
    price: Money
    listed: bool
    updated_at: datetime


class ChannelOrderLine(Struct, frozen=True, kw_only=True):
    """One line of a channel's order at the channel's price."""

    sku: Sku
    quantity: Quantity
    unit_price: UnitPrice


class ChannelOrder(Struct, frozen=True, kw_only=True):
    """An order as a web shop or marketplace took it; ``channel_status`` is in that channel's own words."""

    channel_order_id: RecordId
    reference: Reference
    channel: Literal["web_shop", "marketplace_north", "marketplace_south"]
    account_id: AccountId
    status: Literal["new", "accepted", "shipped", "completed", "rejected", "cancelled"]
    channel_status: str
    lines: tuple[ChannelOrderLine, ...]
    total: Money
    ship_to: Address
    placed_at: datetime
    order_id: str = ""


class Payment(Struct, frozen=True, kw_only=True):
    """Money authorised on a card and what became of it."""

    payment_id: RecordId
    reference: Reference
    order_reference: Reference
    account_id: AccountId
    amount: Money
    captured: Money
    refunded: Money
    status: Literal["authorized", "captured", "voided", "refunded", "partially_refunded"]
    created_at: datetime


class ShipmentLine(Struct, frozen=True, kw_only=True):
    """``quantity`` of ``sku`` in a parcel."""

    sku: Sku
    quantity: Quantity


class TrackingEvent(Struct, frozen=True, kw_only=True):
    """One thing the carrier said about a shipment."""

    at: datetime
    status: str
    location: str
    note: str = ""


class Shipment(Struct, frozen=True, kw_only=True):
    """Goods on their way from one warehouse to one address."""

    shipment_id: RecordId
    reference: Reference
    order_reference: Reference
    account_id: AccountId
    warehouse: WarehouseId
    lines: tuple[ShipmentLine, ...]
    ship_to: Address
    status: Literal["released", "picked", "dispatched", "delivered", "delayed", "cancelled"]
    carrier: str = ""
    tracking_number: str = ""
    events: tuple[TrackingEvent, ...] = ()
    released_at: datetime
    promised_on: date | None = None
