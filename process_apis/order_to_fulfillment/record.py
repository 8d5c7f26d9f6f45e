"""What the flow knows about an order: the state that its steps hand on, kept as one document.

Versions of the API show parts of it; none of them shows all.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from system_apis.canonical.values import (
    AccountId,
    Address,
    BasisPoints,
    Currency,
    Money,
    Quantity,
    RecordId,
    Reference,
    Sku,
    UnitPrice,
    WarehouseId,
)

RESTING = frozenset({"completed", "rejected", "cancelled", "on_hold"})
"""Statuses in which an order stays until somebody does something, or for good."""

GONE = frozenset({"shipped", "invoiced", "completed"})
"""Statuses in which the goods have left."""


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One ordered line, and its price once it has one."""

    line_no: int
    sku: Sku
    quantity: Quantity
    agreed_price: UnitPrice | None = None
    agreed_discount_bp: BasisPoints | None = None
    unit_price: UnitPrice | None = None
    discount_bp: BasisPoints = 0
    net: Money | None = None
    tax_rate_bp: BasisPoints = 0


class Taken(Struct, frozen=True):
    """A quantity of a product set aside in a warehouse."""

    sku: Sku
    warehouse: WarehouseId
    quantity: Quantity


class Sent(Struct, frozen=True):
    """A shipment and the warehouse it leaves."""

    warehouse: WarehouseId
    shipment_id: RecordId


class OrderRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order and everything that its steps settled."""

    order_id: RecordId
    account_id: AccountId
    reference: Reference
    channel: str
    status: str
    stage: str
    lines: tuple[Line, ...]
    placed_at: datetime
    updated_at: datetime
    reason: str | None = None
    problem: str | None = None
    wanted_payment: Literal["on_account", "card"] | None = None
    card_token: str | None = None
    payment: Literal["on_account", "card", "prepaid"] | None = None
    """``prepaid``: the channel has the money already."""
    currency: Currency | None = None
    net: Money | None = None
    tax: Money | None = None
    total: Money | None = None
    ship_to: Address | None = None
    requested_on: date | None = None
    channel_order_id: RecordId | None = None
    channel_waits: bool = False
    """The channel has this order of this account, and waits to hear of it."""
    repeat: bool = False
    """Said to be meant, though another order asks for the same."""
    duplicate_of: RecordId | None = None
    """The order before it that asks for the same, where the channel has such orders marked."""
    taken: tuple[Taken, ...] = ()
    sent: tuple[Sent, ...] = ()
    payment_id: RecordId | None = None
    sales_order_id: RecordId | None = None
    invoice_id: RecordId | None = None
    invoice_total: Money | None = None

    @property
    def warehouses(self) -> tuple[WarehouseId, ...]:
        """Where the goods leave from, in order."""
        return tuple(sorted({taken.warehouse for taken in self.taken}))
