"""What the flow knows about an order: the state that its steps hand on, kept as one document.

Versions of the API show parts of it; none of them shows all.
"""

from __future__ import annotations

from collections import Counter
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

LEFT = frozenset({"dispatched", "delivered", "delayed"})
"""What a warehouse says of goods that have left it."""


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
    category: str = ""
    given_up: int = 0
    """How much of it is not sent any more."""


class Taken(Struct, frozen=True):
    """A quantity of a product set aside in a warehouse."""

    sku: Sku
    warehouse: WarehouseId
    quantity: Quantity


class Sent(Struct, frozen=True):
    """A shipment and the warehouse it leaves."""

    warehouse: WarehouseId
    shipment_id: RecordId


class PartLine(Struct, frozen=True):
    """A quantity of one line of the order."""

    line_no: int
    sku: Sku
    quantity: Quantity


class Part(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one warehouse sends of an order at one time: a shipment, and the invoice for it."""

    number: int
    warehouse: WarehouseId
    lines: tuple[PartLine, ...]
    turn: int = 1
    """Which reservation of the order its goods are set aside by, from 1."""
    shipment_id: RecordId | None = None
    status: str = "planned"
    """``planned``, then as the warehouse says."""
    carrier: str = ""
    tracking_number: str = ""
    promised_on: date | None = None
    invoice_id: RecordId | None = None
    total: Money | None = None
    """What its invoice comes to."""

    @property
    def gone(self) -> bool:
        """Whether its goods have left the warehouse."""
        return self.status in LEFT

    @property
    def settled(self) -> bool:
        """Whether nothing is to be done for it any more."""
        return self.status == "cancelled" or (self.gone and self.invoice_id is not None)


class Fresh(Struct, frozen=True):
    """Something that happened to a part, or to the order, which is announced with the next checkpoint."""

    kind: Literal["released", "dispatched", "delayed", "cancelled", "invoiced", "captured", "amended", "backordered"]
    number: int


class Owed(Struct, frozen=True):
    """What was left to pay of an invoice when its money came: goods of it were credited by then."""

    invoice_id: RecordId
    amount: Money


class Approval(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody's yes that an order of a high value waits for."""

    due_at: datetime
    """Sales is told then that nobody has decided."""
    until: datetime
    """The order is rejected then."""
    told: bool = False
    escalated: bool = False
    approved_by: str = ""


class BackOrder(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Goods that an order waits for."""

    since: datetime
    until: datetime
    expected_on: date
    look_at: datetime
    """When the goods are looked for next."""
    heard: str = ""
    """The last that was heard of stock that came in."""


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
    shortage: str = "reject"
    """What becomes of it when there is less than it asks for."""
    priority: int = 5
    placed_by: str = ""
    """Who placed it, and so can't approve it."""
    prepared_by: tuple[str, ...] = ()
    """Who had a hand in what was agreed before it was placed, and so can't approve it either."""
    amended_by: tuple[str, ...] = ()
    """Who had it changed, and so can't approve it either."""
    amendments: int = 0
    begun: int = -1
    """The revision of its keys for which it was priced."""
    approval: Approval | None = None
    back_order: BackOrder | None = None
    taken: tuple[Taken, ...] = ()
    parts: tuple[Part, ...] = ()
    in_parts: bool = False
    """Each part is issued, invoiced and paid by itself; not where it leaves from one place at one time."""
    turns: int = 1
    """How many reservations were made for it, or are being made."""
    giving_up: str = ""
    """Why what was not sent is not sent any more; empty: it is."""
    ending: Literal["", "cancelled"] = ""
    """What it is called in the end when that is not ``completed``."""
    return_ids: tuple[RecordId, ...] = ()
    """What had left when it was cancelled, on its way back."""
    fresh: tuple[Fresh, ...] = ()
    sent: tuple[Sent, ...] = ()
    """The shipments of an order from before orders had parts."""
    payment_id: RecordId | None = None
    sales_order_id: RecordId | None = None
    invoice_id: RecordId | None = None
    invoice_total: Money | None = None
    owed: tuple[Owed, ...] = ()
    """Where an invoice took less than its total; the rest of the money is the customer's again."""

    @property
    def missing(self) -> tuple[PartLine, ...]:
        """What of it is in no part, and not given up."""
        planned = Counter[int]()
        for part in self.parts:
            for line in part.lines:
                planned[line.line_no] += line.quantity
        left = ((line, line.quantity - line.given_up - planned[line.line_no]) for line in self.lines)
        return tuple(PartLine(line.line_no, line.sku, quantity) for line, quantity in left if quantity > 0)

    @property
    def warehouses(self) -> tuple[WarehouseId, ...]:
        """Where the goods leave from, in order."""
        return tuple(sorted({taken.warehouse for taken in self.taken}))
