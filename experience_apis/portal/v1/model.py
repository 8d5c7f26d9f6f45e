"""Bodies and answers of portal v1. This version owns all of them.

Nothing of what only the company may know is among them: no cost, no stock by warehouse, no number
of a system of record beyond those that a customer gets on paper.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from system_apis.canonical.values import (
    AccountId,
    Address,
    BasisPoints,
    Currency,
    Level,
    Money,
    Name,
    Quantity,
    RecordId,
    Reference,
    Sku,
    Text,
    UnitPrice,
)

OrderStatus = Literal[
    "accepted", "allocated", "confirmed", "shipped", "invoiced", "completed", "rejected", "cancelled", "on_hold"
]
PaymentMethod = Literal["on_account", "card"]
PaidBy = Literal["on_account", "card", "prepaid"]
"""``prepaid``: a marketplace has the money already."""
InvoiceStatus = Literal["open", "paid", "credited"]
ShipmentStatus = Literal["released", "picked", "dispatched", "delivered", "delayed", "cancelled"]
CardToken = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$",
        description="The payment provider's token of a card, never a card number.",
        examples=["card_ok"],
    ),
]


class Price(Struct, frozen=True, kw_only=True):
    """What ``quantity`` units cost you, before tax: ``net`` is ``unit_price`` times quantity less the discount."""

    quantity: Quantity
    unit_price: UnitPrice
    discount_bp: BasisPoints
    net: Money
    tax_rate_bp: BasisPoints


class Product(Struct, frozen=True, kw_only=True):
    """A product in a list with your price of one unit."""

    sku: Sku
    name: Name
    category: Name
    unit: Name
    status: str
    """``active`` or ``discontinued``, which sells while stock lasts; an open list of words."""
    price: Price | None
    """None: not for sale to you."""
    available: Level
    account_id: AccountId
    """Whose price it is."""


class ProductDetail(Struct, frozen=True, kw_only=True):
    """A product with your price for a quantity."""

    sku: Sku
    name: Name
    category: Name
    unit: Name
    description: Text
    status: str
    """``active`` or ``discontinued``, which sells while stock lasts; an open list of words."""
    weight_g: Level
    price: Price | None
    """None: not for sale to you."""
    available: Level
    account_id: AccountId
    """Whose price it is."""


class NewOrderLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One product and how many of it."""

    sku: Sku
    quantity: Quantity


class NewOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order at your own prices; each product stands in one line."""

    reference: Reference
    """Your own number of this order."""
    lines: Annotated[tuple[NewOrderLine, ...], Meta(min_length=1, max_length=200)]
    ship_to: Address | None = None
    """None: your shipping address."""
    payment: PaymentMethod | None = None
    """None: as your terms say."""
    card_token: CardToken | None = None
    """Needed to pay by card."""
    requested_on: date | None = None
    repeat: bool = False
    """One more is meant, though you ordered the same lines under this reference a moment ago."""
    shortage: Literal["reject", "ship_complete", "ship_partial"] | None = None
    """What becomes of it when there is less; None: it is rejected."""


class OrderLine(Struct, frozen=True, kw_only=True):
    """One line; prices are there once the order was priced."""

    line_no: int
    sku: Sku
    quantity: Quantity
    unit_price: UnitPrice | None
    discount_bp: BasisPoints
    net: Money | None
    tax_rate_bp: BasisPoints | None
    status: str
    """``open``, ``allocated``, ``partly_shipped``, ``shipped``, ``back_ordered``, ``cancelled`` and what else may come."""
    shipped: int
    back_ordered: int
    cancelled: int
    expected_on: date | None
    """When what is back-ordered should be there."""


class Order(Struct, frozen=True, kw_only=True):
    """An order and how far it is."""

    order_id: RecordId
    account_id: AccountId
    reference: Reference
    """Your own number of this order."""
    status: OrderStatus
    stage: str
    """The step under way in more detail; an open list of words."""
    reason: str | None
    """Why it was rejected or cancelled, or what holds it."""
    problem: str | None
    """The problem type behind ``reason``, such as ``insufficient-stock``."""
    lines: tuple[OrderLine, ...]
    net: Money | None
    tax: Money | None
    total: Money | None
    payment: PaidBy | None
    """None until it is known."""
    ship_to: Address | None
    """None until it is known."""
    requested_on: date | None
    shipment_ids: tuple[RecordId, ...]
    invoice_ids: tuple[RecordId, ...]
    placed_at: datetime
    updated_at: datetime
    revision: int
    """Another one after every change; its ``ETag``."""
    return_ids: tuple[RecordId, ...]
    """Returns of what had left when it was cancelled."""


class OrderSummary(Struct, frozen=True, kw_only=True):
    """An order in a list."""

    order_id: RecordId
    account_id: AccountId
    reference: Reference
    status: OrderStatus
    stage: str
    reason: str | None
    total: Money | None
    """None until it was priced."""
    placed_at: datetime
    updated_at: datetime


class TimelineEntry(Struct, frozen=True, kw_only=True):
    """One thing that was done for an order."""

    at: datetime
    """When it began."""
    step: str
    outcome: str
    """``done``, ``refused``, ``undone`` and what else may come."""


class Timeline(Struct, frozen=True, kw_only=True):
    """What was done for an order, oldest first."""

    order_id: RecordId
    account_id: AccountId
    entries: tuple[TimelineEntry, ...]


class OrderEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened to an order."""

    id: str
    order_id: RecordId
    account_id: AccountId
    type: str
    """``order.accepted``, ``shipment.dispatched``, ``invoice.posted`` and what else may come."""
    at: datetime
    shipment_id: RecordId | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    promised_on: date | None = None
    invoice_id: RecordId | None = None
    reason: str | None = None
    """Why it was rejected, cancelled or is on hold."""


class ShipmentLine(Struct, frozen=True, kw_only=True):
    """A quantity of one product in a shipment."""

    sku: Sku
    quantity: Quantity


class Shipment(Struct, frozen=True, kw_only=True):
    """Goods on their way to you; carrier and tracking number are empty until they are dispatched."""

    shipment_id: RecordId
    account_id: AccountId
    order_id: str
    """The order it belongs to."""
    status: str
    """``released``, ``picked``, ``dispatched``, ``delivered``, ``delayed`` and what else may come."""
    carrier: str
    tracking_number: str
    lines: tuple[ShipmentLine, ...]
    released_at: datetime
    promised_on: date | None


class TrackingEvent(Struct, frozen=True, kw_only=True):
    """One thing that was said about a shipment."""

    at: datetime
    status: str
    location: str
    note: str


class ShipmentDetail(Struct, frozen=True, kw_only=True):
    """A shipment with where it goes and where it is."""

    shipment_id: RecordId
    account_id: AccountId
    order_id: str
    """The order it belongs to."""
    status: str
    carrier: str
    tracking_number: str
    lines: tuple[ShipmentLine, ...]
    ship_to: Address
    released_at: datetime
    promised_on: date | None
    events: tuple[TrackingEvent, ...]
    """Oldest first."""


class Invoice(Struct, frozen=True, kw_only=True):
    """An invoice in a list."""

    invoice_id: RecordId
    account_id: AccountId
    status: str
    """``open``, ``paid``, ``credited`` and what else may come."""
    net: Money
    tax: Money
    total: Money
    paid: Money
    credited: Money | None
    """What returns took off the total; None: nothing."""
    issued_at: datetime
    due_on: date


class InvoiceLine(Struct, frozen=True, kw_only=True):
    """One invoiced line."""

    line_no: Level
    sku: Sku
    quantity: Quantity
    net: Money
    tax_rate_bp: BasisPoints


class InvoiceDetail(Struct, frozen=True, kw_only=True):
    """An invoice with its lines."""

    invoice_id: RecordId
    account_id: AccountId
    reference: str
    """Your own number of the order."""
    status: str
    lines: tuple[InvoiceLine, ...]
    net: Money
    tax: Money
    total: Money
    paid: Money
    credited: Money | None
    """What returns took off the total; None: nothing."""
    issued_at: datetime
    due_on: date


class Credit(Struct, frozen=True, kw_only=True):
    """What you may order on account."""

    currency: Currency
    payment_terms: str
    limit: Money | None
    """None: no limit is set."""
    headroom: Money | None
    """What is left of the limit; None: no limit is set."""
    on_hold: bool


class Account(Struct, frozen=True, kw_only=True):
    """Your account."""

    account_id: AccountId
    name: Name
    status: str
    """``active``, ``on_hold`` or ``closed``; an open list of words."""
    contact: Name
    """Who looks after you."""
    billing_address: Address
    shipping_address: Address
    credit: Credit | None
    """None: no terms are agreed yet, so no order can be placed."""
