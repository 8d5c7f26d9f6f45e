"""What the flow knows about a return: the state that its steps hand on, kept as one document.

Versions of the API show parts of it; none of them shows all.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from system_apis.canonical.values import AccountId, Level, Money, Quantity, RecordId, Sku, Text, WarehouseId

ENDED = frozenset({"closed", "rejected", "cancelled", "expired"})
"""Statuses in which a return stays for good."""
OPEN = frozenset({"requested", "authorised"})
"""Statuses in which its goods are not here yet."""
OF_PROCESS = "order_cancelled"
"""The reason that the order's own process gives."""


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A product that is to come back."""

    sku: Sku
    quantity: Quantity
    warehouse: WarehouseId | None = None


class Received(Struct, frozen=True):
    """A product that came, and how many of it."""

    sku: Sku
    quantity: Quantity


class Receipt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came, and where."""

    lines: tuple[Received, ...]
    warehouse: WarehouseId | None = None
    note: Text = ""

    def of(self, sku: str) -> int:
        """How many units of a product came."""
        return sum(line.quantity for line in self.lines if line.sku == sku)


class Inspected(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of the units of a product that came."""

    sku: Sku
    restocked: Level = 0
    scrapped: Level = 0
    rejected: Level = 0
    grade: str = "as_new"

    @property
    def accepted(self) -> int:
        """The units that are credited."""
        return self.restocked + self.scrapped


class Inspection(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The result of looking at what came."""

    lines: tuple[Inspected, ...]
    reason: Text = ""

    def of(self, sku: str) -> Inspected:
        """What became of a product; nothing where it is not named."""
        return next((line for line in self.lines if line.sku == sku), Inspected(sku=sku))


class Decision(Struct, frozen=True, kw_only=True):
    """A yes or a no, whose it is, and its reason."""

    approved: bool
    by: str
    reason: Text = ""


class Refunding(Struct, frozen=True, kw_only=True):
    """What goes back to which card payment."""

    payment_id: RecordId
    amount: Money


class ReturnRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A return and everything that its steps settled."""

    return_id: RecordId
    account_id: AccountId
    order_id: RecordId
    sales_order_id: RecordId
    reason: str
    note: Text
    lines: tuple[Line, ...]
    status: str
    stage: str
    requested_at: datetime
    updated_at: datetime
    requested_by: str = ""
    """Who asked for it, and so can't decide about it."""
    corrected_by: tuple[str, ...] = ()
    """Who asked for it anew, and so can't decide about it either."""
    warehouse: WarehouseId | None = None
    """Where the customer side wants the goods to go; None: where they came from."""
    order_reference: str | None = None
    value: Money | None = None
    needs_decision: bool = False
    decision: Decision | None = None
    rma: RecordId | None = None
    """The ERP's number of the return, which is written on the parcel."""
    send_by: datetime | None = None
    receipt: Receipt | None = None
    inspection: Inspection | None = None
    credit: Money | None = None
    uncredited: Money | None = None
    """What of the accepted goods' worth the order's invoices had no room for: it was credited before."""
    credit_memo_ids: tuple[RecordId, ...] = ()
    refund: Refunding | None = None
    credited_by: Literal["account", "card"] | None = None
    end_reason: str | None = None
    problem: str | None = None

    @property
    def is_expected(self) -> bool:
        """Whether the goods may come; also while something else about it waits for people."""
        return self.rma is not None and self.receipt is None and self.status in ("authorised", "on_hold")

    @property
    def waits_for_inspection(self) -> bool:
        """Whether the goods are here and nobody has looked at them."""
        return self.receipt is not None and self.inspection is None and self.status in ("received", "on_hold")

    @property
    def worth(self) -> Money | None:
        """What the accepted goods were sold for; None before they were inspected."""
        return self.credit if self.credit is None or self.uncredited is None else self.credit + self.uncredited

    @property
    def credits_something(self) -> bool:
        """Whether anything is credited."""
        return self.credit is not None and self.credit.amount_minor > 0
