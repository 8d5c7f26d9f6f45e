"""Answers of customer account v1. This version owns all of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

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
    WarehouseId,
)

OrderStatus = Literal[
    "accepted", "allocated", "confirmed", "shipped", "invoiced", "completed", "rejected", "cancelled", "on_hold"
]
InvoiceStatus = Literal["open", "paid", "credited"]
ShipmentStatus = Literal["released", "picked", "dispatched", "delivered", "delayed", "cancelled"]


class Terms(Struct, frozen=True, kw_only=True):
    """What finance agreed with the account, and how much it may still order on account."""

    currency: Currency
    payment_terms: str
    discount_bp: BasisPoints
    exposure: Money
    """Open orders and unpaid invoices together."""
    credit_limit: Money | None
    """None: no limit is set."""
    headroom: Money | None
    """What is left of the limit; None: no limit is set."""
    on_hold: bool


class Profile(Struct, frozen=True, kw_only=True):
    """A customer account as CRM and ERP know it."""

    account_id: AccountId
    name: Name
    status: str
    """``active``, ``on_hold`` or ``closed``; an open list of words."""
    segment: str
    language: str
    sales_person: Name
    parent_id: AccountId | None
    billing_address: Address
    shipping_address: Address
    terms: Terms | None
    """None: finance has no terms for it yet, so it can't order."""


class AccountOrder(Struct, frozen=True, kw_only=True):
    """An order of the account in a list."""

    order_id: RecordId
    account_id: AccountId
    reference: Reference
    channel: str
    status: str
    stage: str
    reason: str | None
    total: Money | None
    """None until it was priced."""
    placed_at: datetime
    updated_at: datetime


class ShipmentLine(Struct, frozen=True, kw_only=True):
    """A quantity of one product in a shipment."""

    sku: Sku
    quantity: Quantity


class ShipmentSummary(Struct, frozen=True, kw_only=True):
    """A shipment of the account in a list."""

    shipment_id: RecordId
    account_id: AccountId
    order_id: Reference
    """The order it belongs to."""
    warehouse: WarehouseId
    status: str
    carrier: str
    tracking_number: str
    lines: tuple[ShipmentLine, ...]
    released_at: datetime
    promised_on: date | None


class TrackingEvent(Struct, frozen=True, kw_only=True):
    """One thing that the warehouse or the carrier said."""

    at: datetime
    status: str
    location: str
    note: str


class ShipmentDetail(Struct, frozen=True, kw_only=True):
    """A shipment with where it is; carrier and tracking number are empty until it is dispatched."""

    shipment_id: RecordId
    account_id: AccountId
    order_id: Reference
    """The order it belongs to."""
    warehouse: WarehouseId
    status: str
    carrier: str
    tracking_number: str
    lines: tuple[ShipmentLine, ...]
    ship_to: Address
    released_at: datetime
    promised_on: date | None
    events: tuple[TrackingEvent, ...]
    """Oldest first."""


class InvoiceSummary(Struct, frozen=True, kw_only=True):
    """An invoice of the account in a list."""

    invoice_id: RecordId
    account_id: AccountId
    sales_order_id: RecordId
    status: str
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
    """An invoice with its lines and the customer's own number of the order."""

    invoice_id: RecordId
    account_id: AccountId
    sales_order_id: RecordId
    customer_reference: str
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
