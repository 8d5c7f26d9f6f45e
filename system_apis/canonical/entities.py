"""The canonical entities: what systems of record hold, in words no vendor owns.

For ports, flows and system contracts only. Process and experience versions own their own
Structs, so a change here never reaches a portal by accident. Status words are open enums on
the wire: readers must expect new ones.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from system_apis.canonical.values import (
    AccountId,
    Address,
    BasisPoints,
    Country,
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
    WarehouseId,
)


class Product(Struct, frozen=True, kw_only=True):
    """A thing the company sells. A discontinued product sells while stock lasts."""

    sku: Sku
    name: Name
    category: Name
    unit: Name
    list_price: UnitPrice
    description: Text = ""
    tax_category: Literal["standard", "reduced", "zero"] = "standard"
    status: Literal["active", "discontinued"] = "active"
    weight_g: Level = 0
    updated_at: datetime | None = None


class CustomerTerms(Struct, frozen=True, kw_only=True):
    """What finance agreed with an account: currency, terms, limit, discount and tax treatment."""

    account_id: AccountId
    currency: Currency
    payment_terms: Literal["prepaid_card", "net_14", "net_30", "net_60"] = "net_30"
    credit_limit: Money | None = None
    """None: no limit is set."""
    discount_bp: BasisPoints = 0
    tax_treatment: Literal["standard", "reverse_charge", "export", "exempt"] = "standard"
    tax_country: Country = "DE"
    on_hold: bool = False


class CustomerPrice(Struct, frozen=True, kw_only=True):
    """The price of one product for one account and quantity, and where it came from."""

    sku: Sku
    account_id: AccountId
    quantity: Quantity
    unit_price: UnitPrice
    discount_bp: BasisPoints
    net: Money
    tax_rate_bp: BasisPoints
    source: Literal["list", "volume", "contract", "agreed"]


class InventoryPosition(Struct, frozen=True, kw_only=True):
    """Stock of one product in one place; ``available`` is on hand less reserved, never negative."""

    sku: Sku
    warehouse: WarehouseId
    on_hand: Level
    reserved: Level
    available: Level
    third_party: bool = False


class Availability(Struct, frozen=True, kw_only=True):
    """Stock of one product over all places."""

    sku: Sku
    available: Level
    positions: tuple[InventoryPosition, ...]


class Allocation(Struct, frozen=True, kw_only=True):
    """``quantity`` of ``sku`` taken from ``warehouse``."""

    sku: Sku
    warehouse: WarehouseId
    quantity: Quantity


class Reservation(Struct, frozen=True, kw_only=True):
    """Stock set aside under a reference until released, consumed by a shipment, or expired."""

    reservation_id: RecordId
    reference: Reference
    account_id: AccountId
    allocations: tuple[Allocation, ...]
    status: Literal["held", "released", "consumed", "expired"]
    expires_at: datetime


class CreditStatus(Struct, frozen=True, kw_only=True):
    """How much an account may still order on account. ``headroom`` None: no limit is set."""

    account_id: AccountId
    exposure: Money
    limit: Money | None
    headroom: Money | None
    on_hold: bool


class SalesOrderLine(Struct, frozen=True, kw_only=True):
    """One line of the ERP's order with its price as posted."""

    line_no: Quantity
    sku: Sku
    quantity: Quantity
    unit_price: UnitPrice
    discount_bp: BasisPoints
    net: Money
    tax_rate_bp: BasisPoints


class SalesOrder(Struct, frozen=True, kw_only=True):
    """An order as the ERP posted it. ``reference`` is unique in the ERP."""

    sales_order_id: RecordId
    reference: Reference
    account_id: AccountId
    status: Literal["posted", "cancelled", "invoiced"]
    currency: Currency
    lines: tuple[SalesOrderLine, ...]
    net: Money
    tax: Money
    total: Money
    ship_to: Address
    customer_reference: str
    posted_at: datetime


class InvoiceLine(Struct, frozen=True, kw_only=True):
    """One invoiced line."""

    line_no: Quantity
    sku: Sku
    quantity: Quantity
    net: Money
    tax_rate_bp: BasisPoints


class Invoice(Struct, frozen=True, kw_only=True):
    """An invoice as the ERP posted it."""

    invoice_id: RecordId
    reference: Reference
    sales_order_id: RecordId
    account_id: AccountId
    status: Literal["open", "paid", "credited"]
    lines: tuple[InvoiceLine, ...]
    net: Money
    tax: Money
    total: Money
    paid: Money
    issued_at: datetime
    due_on: date
    credited: Money | None = None
    """What returns took off the total; None: nothing."""


class Return(Struct, frozen=True, kw_only=True):
    """Goods that come back, and the credit for them."""

    return_id: RecordId
    reference: Reference
    sales_order_id: RecordId
    account_id: AccountId
    lines: tuple[Allocation, ...]
    reason: Text
    status: Literal["authorised", "received", "credited"]
    credit: Money
    created_at: datetime


class Account(Struct, frozen=True, kw_only=True):
    """A customer as CRM knows it. ``parent_id`` makes the hierarchy; ``owner`` is the sales person."""

    account_id: AccountId
    name: Name
    status: Literal["active", "on_hold", "closed"]
    owner: Name
    billing_address: Address
    shipping_address: Address
    parent_id: AccountId | None = None
    segment: Literal["key", "standard", "small"] = "standard"
    language: str = "en"
    updated_at: datetime | None = None


class AccountTree(Struct, frozen=True, kw_only=True):
    """An account and everything below it in the hierarchy, itself included, sorted."""

    account_id: AccountId
    account_ids: tuple[AccountId, ...]


class Contact(Struct, frozen=True, kw_only=True):
    """A person at an account."""

    contact_id: RecordId
    account_id: AccountId
    name: Name
    email: str
    phone: str = ""
    role: Literal["buyer", "finance", "receiving", "executive"] = "buyer"


class Opportunity(Struct, frozen=True, kw_only=True):
    """A sale that may come about."""

    opportunity_id: RecordId
    account_id: AccountId
    title: Name
    stage: Literal["qualifying", "proposing", "negotiating", "won", "lost"]
    value: Money
    expected_close: date
    reference: Reference


class QuoteLine(Struct, frozen=True, kw_only=True):
    """One offered line."""

    sku: Sku
    quantity: Quantity
    unit_price: UnitPrice
    discount_bp: BasisPoints = 0
    net: Money


class Quote(Struct, frozen=True, kw_only=True):
    """An offer to an account, valid until a day; a revision replaces the lines."""

    quote_id: RecordId
    reference: Reference
    account_id: AccountId
    status: Literal["draft", "sent", "accepted", "declined", "expired", "ordered"]
    revision: Quantity
    lines: tuple[QuoteLine, ...]
    total_net: Money
    valid_until: date
    created_at: datetime
    opportunity_id: RecordId | None = None
    order_id: str = ""
    """The order the quote became, once it is ``ordered``."""


class Case(Struct, frozen=True, kw_only=True):
    """Something a customer needs settled."""

    case_id: RecordId
    reference: Reference
    account_id: AccountId
    subject: Name
    body: Text
    status: Literal["open", "waiting", "closed"]
    priority: Literal["low", "normal", "high"]
    created_at: datetime
    order_id: str = ""
    resolution: Text = ""


class Activity(Struct, frozen=True, kw_only=True):
    """Something that happened with an account, as CRM shows it to its owner."""

    activity_id: RecordId
    reference: Reference
    account_id: AccountId
    kind: str
    summary: Text
    subject_id: str
    occurred_at: datetime


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
