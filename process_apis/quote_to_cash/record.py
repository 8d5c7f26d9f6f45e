"""What the flow knows about a quote: the state that its steps hand on, kept as one document.

Versions of the API show parts of it; none of them shows all.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal

from msgspec import Struct

from system_apis.canonical.values import (
    AccountId,
    Address,
    BasisPoints,
    Money,
    Quantity,
    RecordId,
    Sku,
    Text,
    UnitPrice,
)

ENDED = frozenset({"closed", "unfulfilled", "rejected", "declined", "expired", "cancelled"})
"""Statuses in which a quote stays for good."""
OPEN = frozenset({"requested", "sent"})
"""Statuses in which nobody has accepted it."""


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A product that is offered; prices are there once it was priced."""

    line_no: int
    sku: Sku
    quantity: Quantity
    wanted_discount_bp: BasisPoints | None = None
    """What the sales person wishes to give; None: what the rules give."""
    unit_price: UnitPrice | None = None
    discount_bp: BasisPoints = 0
    net: Money | None = None
    tax_rate_bp: BasisPoints = 0


class Decision(Struct, frozen=True, kw_only=True):
    """A yes or a no to the discounts of a revision, whose it is, and its reason."""

    revision: int
    approved: bool
    by: str
    reason: Text = ""


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the customer said to a revision."""

    revision: int
    accepted: bool
    by: str
    way: Literal["account", "link"]
    at: datetime
    key: str
    """Derived from the idempotency key that it came under: the same answer again is no other one."""
    reference: str | None = None
    """The customer's own number for the order."""
    payment: Literal["on_account", "card"] | None = None
    card_token: str | None = None
    reason: Text = ""


class Revision(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a revision puts in the place of what was offered before."""

    key: str
    """Derived from the idempotency key that it came under."""
    lines: tuple[Line, ...]
    by: str
    at: datetime
    valid_until: date


class Correction(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is different in a corrected run of a quote that ended; None: as it was."""

    lines: tuple[Line, ...] | None = None
    valid_until: date | None = None
    by: str = ""
    """Whose it is; the flow sets it."""


class Billed(Struct, frozen=True, kw_only=True):
    """An invoice of the order, as it was when the flow last looked."""

    invoice_id: RecordId
    status: str
    total: Money
    open: Money
    due_on: date


class QuoteRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A quote and everything that its steps settled."""

    quote_id: RecordId
    account_id: AccountId
    status: str
    stage: str
    lines: tuple[Line, ...]
    valid_until: date
    requested_by: str
    """Who asked for it as it is now; the limit of this person's discounts counts."""
    requested_at: datetime
    updated_at: datetime
    revision: int = 1
    revision_key: str = ""
    """Of the wish that made this revision."""
    asked_by: tuple[str, ...] = ()
    """Who asked for it before, as it was then, or had it done anew."""
    note: Text = ""
    opportunity_id: RecordId | None = None
    ship_to: Address | None = None
    net: Money | None = None
    tax: Money | None = None
    total: Money | None = None
    over_limit: tuple[str, ...] = ()
    """Why it needs an approval, a sentence each."""
    decision: Decision | None = None
    crm_quote_id: RecordId | None = None
    answer: Answer | None = None
    order_id: RecordId | None = None
    order_status: str | None = None
    order_reason: str | None = None
    sales_order_id: RecordId | None = None
    invoices: tuple[Billed, ...] = ()
    billable: bool = False
    """Whether anything of the order was invoiced."""
    settled: bool = False
    """Whether every invoice is paid or credited."""
    reminders: int = 0
    """How many dunning stages were sent."""
    account_held: bool = False
    end_reason: str | None = None
    problem: str | None = None

    @property
    def authors(self) -> tuple[str, ...]:
        """Everybody who had a hand in it, and so can approve neither it nor its order."""
        return tuple(sorted({*self.asked_by, self.requested_by}))

    @property
    def expires_at(self) -> datetime:
        """The end of the last day on which it can be accepted, UTC."""
        return datetime(self.valid_until.year, self.valid_until.month, self.valid_until.day, tzinfo=UTC) + timedelta(1)

    @property
    def needs_approval(self) -> bool:
        """Whether somebody has to say yes to its discounts."""
        return bool(self.over_limit)

    @property
    def billing(self) -> str:
        """How far the money is: ``not_billed``, ``open``, ``overdue``, ``on_hold`` or ``settled``."""
        if self.settled:
            return "settled"
        if not self.invoices:
            return "not_billed"
        return "on_hold" if self.account_held else "overdue" if self.reminders else "open"

    @property
    def total_offered(self) -> Money:
        """The total. Raises ``ValueError`` before it was priced."""
        if self.total is None:
            raise ValueError(f"quote {self.quote_id} was not priced")
        return self.total
