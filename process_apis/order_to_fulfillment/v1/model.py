"""Bodies and answers of order to fulfillment v1. This version owns all of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from system_apis.canonical.values import (
    AccountId,
    Address,
    BasisPoints,
    Level,
    Money,
    Quantity,
    RecordId,
    Reference,
    Sku,
    Text,
    UnitPrice,
    WarehouseId,
)

Channel = Literal["portal", "partner", "inside_sales", "web_shop", "marketplace_north", "marketplace_south"]
OrderStatus = Literal[
    "accepted", "allocated", "confirmed", "shipped", "invoiced", "completed", "rejected", "cancelled", "on_hold"
]
CardToken = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$",
        description="The payment provider's token of a card, never a card number.",
        examples=["card_ok"],
    ),
]
Shortage = Literal["reject", "ship_complete", "ship_partial"]
"""Rejected; sent when all of it is there; or sent in parts, what is there at once."""
LineCount = Meta(min_length=1, max_length=200)


class NewOrderLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One product and how many of it; the price is the account's."""

    sku: Sku
    quantity: Quantity


class NewOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order to place at the account's own prices."""

    account_id: AccountId
    channel: Channel
    reference: Reference
    """The customer's own number of this order."""
    lines: Annotated[tuple[NewOrderLine, ...], LineCount]
    ship_to: Address | None = None
    """None: the account's shipping address."""
    payment: Literal["on_account", "card"] | None = None
    """None: as the account's terms say."""
    card_token: CardToken | None = None
    requested_on: date | None = None
    channel_order_id: RecordId | None = None
    """The channel's own order, which is told how this one goes on."""
    repeat: bool = False
    """One more is meant, though the account ordered the same lines under this reference a moment ago."""
    shortage: Shortage | None = None
    """What becomes of it when there is less than it asks for; None: as its channel says."""

    def __post_init__(self) -> None:
        if self.payment == "card" and self.card_token is None:
            raise ValueError("card_token is needed to pay by card")


PersonName = Annotated[str, Meta(max_length=1_024, description="The subject of a person's token.")]


class NewAgreedOrderLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One product at what inside sales agreed; what is left out is as the account's prices say."""

    sku: Sku
    quantity: Quantity
    agreed_price: UnitPrice | None = None
    agreed_discount_bp: BasisPoints | None = None


class NewAgreedOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that inside sales places at prices agreed with the account."""

    account_id: AccountId
    reference: Reference
    """The customer's own number of this order."""
    lines: Annotated[tuple[NewAgreedOrderLine, ...], LineCount]
    channel: Channel = "inside_sales"
    ship_to: Address | None = None
    """None: the account's shipping address."""
    payment: Literal["on_account", "card"] | None = None
    """None: as the account's terms say."""
    card_token: CardToken | None = None
    requested_on: date | None = None
    channel_order_id: RecordId | None = None
    repeat: bool = False
    """One more is meant, though the account ordered the same lines under this reference a moment ago."""
    shortage: Shortage | None = None
    """What becomes of it when there is less than it asks for; None: as its channel says."""
    prepared_by: Annotated[tuple[PersonName, ...], Meta(max_length=200)] = ()
    """Who had a hand in what was agreed: like who places it, they can't approve it."""

    def __post_init__(self) -> None:
        if self.payment == "card" and self.card_token is None:
            raise ValueError("card_token is needed to pay by card")


class OrderLine(Struct, frozen=True, kw_only=True):
    """One line; prices are there once the order was priced."""

    line_no: int
    sku: Sku
    quantity: Quantity
    unit_price: UnitPrice | None = None
    discount_bp: BasisPoints = 0
    net: Money | None = None
    tax_rate_bp: BasisPoints | None = None
    status: str = "open"
    """``open``, ``allocated``, ``partly_shipped``, ``shipped``, ``back_ordered``, ``cancelled`` and what else may come."""
    shipped: Level = 0
    cancelled: Level = 0
    back_ordered: Level = 0
    expected_on: date | None = None
    """When what is back-ordered should be there."""


class OrderApproval(Struct, frozen=True, kw_only=True):
    """The yes that an order of high value waits for, or has."""

    status: str
    """``waiting`` or ``approved``."""
    due_at: datetime
    """Sales is told then that nobody has decided."""
    until: datetime
    """It is rejected then."""
    approved_by: str = ""


class OrderShipment(Struct, frozen=True, kw_only=True):
    """What one warehouse sends of an order at one time."""

    shipment_id: RecordId
    warehouse: WarehouseId
    status: str
    """In the warehouse's words: ``released``, ``picked``, ``dispatched``, ``delayed``, ``delivered``, ``cancelled``."""
    lines: tuple[OrderShipmentLine, ...]
    carrier: str = ""
    tracking_number: str = ""
    promised_on: date | None = None
    invoice_id: RecordId | None = None


class OrderShipmentLine(Struct, frozen=True, kw_only=True):
    """A quantity of a line of the order in a shipment."""

    line_no: int
    sku: Sku
    quantity: Quantity


class OrderAllocation(Struct, frozen=True, kw_only=True):
    """Where a quantity of a product is taken from."""

    sku: Sku
    warehouse: WarehouseId
    quantity: Quantity


class Order(Struct, frozen=True, kw_only=True):
    """An order and how far it is."""

    order_id: RecordId
    account_id: AccountId
    reference: Reference
    channel: str
    status: OrderStatus
    stage: str
    """The step under way in more detail; an open list of words."""
    lines: tuple[OrderLine, ...]
    placed_at: datetime
    updated_at: datetime
    revision: int = 0
    """Another one after every change; its ``ETag``."""
    reason: str | None = None
    """Why it was rejected or cancelled, or what holds it."""
    problem: str | None = None
    """The problem type behind ``reason``, such as ``insufficient-stock``."""
    net: Money | None = None
    tax: Money | None = None
    total: Money | None = None
    payment: Literal["on_account", "card", "prepaid"] | None = None
    """None until it is known; ``prepaid``: paid to the channel before the order came."""
    ship_to: Address | None = None
    """None until it is known."""
    requested_on: date | None = None
    channel_order_id: RecordId | None = None
    allocations: tuple[OrderAllocation, ...] = ()
    sales_order_id: RecordId | None = None
    invoice_ids: tuple[RecordId, ...] = ()
    shipment_ids: tuple[RecordId, ...] = ()
    payment_id: RecordId | None = None
    duplicate_of: RecordId | None = None
    """An order before it that asks for the same: its channel has such orders marked, not refused."""
    approval: OrderApproval | None = None
    """None: nobody has to approve it."""
    amendments: int = 0
    """How often it was amended."""
    shipments: tuple[OrderShipment, ...] = ()
    return_ids: tuple[RecordId, ...] = ()
    """Returns of what had left when it was cancelled."""


class OrderCancellation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose order is cancelled, and why."""

    account_id: AccountId
    reason: Text = ""


class OrderDecision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose order is decided about, and why so."""

    account_id: AccountId
    reason: Text = ""


class AmendedLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many of a line are wanted now."""

    line_no: Annotated[int, Meta(ge=1, le=200)]
    quantity: Annotated[int, Meta(ge=0, le=1_000_000, description="0: the line is not wanted any more.")]


class OrderAmendment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be different about an order; what is left out stays as it is."""

    account_id: AccountId
    lines: Annotated[tuple[AmendedLine, ...], Meta(max_length=200)] = ()
    ship_to: Address | None = None
    requested_on: date | None = None
    revision: Annotated[int, Meta(ge=0, le=2**62)] | None = None
    """The revision that was read, for callers that read it elsewhere than here; None: as `If-Match` says."""

    def __post_init__(self) -> None:
        if not self.lines and self.ship_to is None and self.requested_on is None:
            raise ValueError("say what is to be different: lines, ship_to or requested_on")
        if len({line.line_no for line in self.lines}) != len(self.lines):
            raise ValueError("each line can be amended once")


class TimelineEntry(Struct, frozen=True, kw_only=True):
    """One thing that was done for an order."""

    at: datetime
    """When it began."""
    step: str
    tier: str
    api: str
    """The API that was asked, such as ``erp.v1``; the flow's own for its decisions."""
    operation: str
    outcome: str
    """``done``, ``refused``, ``failed``, ``undone``, ``nothing_to_undo`` and what else may come."""
    detail: str
    duration_ms: int


class Timeline(Struct, frozen=True, kw_only=True):
    """What was done for an order, oldest first."""

    order_id: RecordId
    account_id: AccountId
    entries: tuple[TimelineEntry, ...]
