"""Bodies and answers of quote to cash v1. This version owns all of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from system_apis.canonical.values import (
    AccountId,
    Address,
    BasisPoints,
    Money,
    Quantity,
    RecordId,
    Reference,
    Sku,
    Text,
    UnitPrice,
)

QuoteStatus = Literal[
    "requested",
    "sent",
    "accepted",
    "ordered",
    "invoiced",
    "closed",
    "unfulfilled",
    "rejected",
    "declined",
    "expired",
    "cancelled",
    "on_hold",
]
RevisionNumber = Annotated[int, Meta(ge=1, le=10_000, description="1 for the first offer.")]
CardToken = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$",
        description="The payment provider's token of a card, never a card number.",
        examples=["card_ok"],
    ),
]
LinkToken = Annotated[
    str,
    Meta(min_length=1, max_length=500, pattern=r"^[A-Za-z0-9_-]+$", description="What stands in the link after `#`."),
]
LineCount = Meta(min_length=1, max_length=200)


class NewQuoteLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product to offer. ``wanted_discount_bp`` None: what the rules give; above the limit it needs approval."""

    sku: Sku
    quantity: Quantity
    wanted_discount_bp: BasisPoints | None = None


class NewQuote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be offered to an account."""

    account_id: AccountId
    lines: Annotated[tuple[NewQuoteLine, ...], LineCount]
    valid_until: date | None = None
    """The last day, UTC, on which it can be accepted; None: as long as the company's quotes are valid."""
    note: Text = ""
    opportunity_id: RecordId | None = None
    ship_to: Address | None = None
    """None: the account's shipping address."""


class QuoteRevision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is offered in the place of the revision before, which can no longer be accepted then."""

    account_id: AccountId
    revision: RevisionNumber
    """The one that it replaces."""
    lines: Annotated[tuple[NewQuoteLine, ...], LineCount]
    valid_until: date | None = None


class DiscountDecision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A yes or a no to the discounts of a revision."""

    account_id: AccountId
    revision: RevisionNumber
    approved: bool
    reason: Text = ""


class QuoteAcceptance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A yes to one revision, and how the order that it becomes is to be referred to and paid."""

    account_id: AccountId
    revision: RevisionNumber
    reference: Reference | None = None
    """The customer's own number for the order; None: the quote's."""
    payment: Literal["on_account", "card"] | None = None
    """None: as the account's terms say."""
    card_token: CardToken | None = None

    def __post_init__(self) -> None:
        if self.payment == "card" and self.card_token is None:
            raise ValueError("card_token is needed to pay by card")


class QuoteRefusal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A no to one revision."""

    account_id: AccountId
    revision: RevisionNumber
    reason: Text = ""


class QuoteWithdrawal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose quote is withdrawn, and why."""

    account_id: AccountId
    reason: Text = ""


class QuoteLink(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A link that was sent to the customer."""

    token: LinkToken


class LinkAcceptance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A yes of whoever holds the link."""

    token: LinkToken
    reference: Reference | None = None
    """The customer's own number for the order; None: the quote's."""


class LinkRefusal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A no of whoever holds the link."""

    token: LinkToken
    reason: Text = ""


class QuoteLine(Struct, frozen=True, kw_only=True):
    """One offered line; prices are there once it was priced."""

    line_no: int
    sku: Sku
    quantity: Quantity
    unit_price: UnitPrice | None = None
    discount_bp: BasisPoints = 0
    net: Money | None = None
    tax_rate_bp: BasisPoints | None = None


class QuoteInvoice(Struct, frozen=True, kw_only=True):
    """An invoice of the order, as of the last look at it."""

    invoice_id: RecordId
    status: str
    total: Money
    open: Money
    due_on: date


class Quote(Struct, frozen=True, kw_only=True):
    """A quote and how far it is, to the order and the money for it."""

    quote_id: RecordId
    account_id: AccountId
    status: QuoteStatus
    stage: str
    """The step under way in more detail; an open list of words."""
    revision: RevisionNumber
    lines: tuple[QuoteLine, ...]
    valid_until: date
    requested_at: datetime
    updated_at: datetime
    note: Text
    net: Money | None = None
    tax: Money | None = None
    total: Money | None = None
    waits_for_approval: bool = False
    over_limit: tuple[str, ...] = ()
    """Why it needs an approval, a sentence each."""
    approved_by: str | None = None
    crm_quote_id: RecordId | None = None
    opportunity_id: RecordId | None = None
    ship_to: Address | None = None
    reference: str | None = None
    """The customer's own number for the order, once it is accepted."""
    accepted_at: datetime | None = None
    order_id: RecordId | None = None
    order_status: str | None = None
    """How the order ended: ``completed``, ``rejected`` or ``cancelled``."""
    billing: str = "not_billed"
    """``not_billed``, ``open``, ``overdue``, ``on_hold`` or ``settled``; an open list of words."""
    invoices: tuple[QuoteInvoice, ...] = ()
    reminders: int = 0
    reason: str | None = None
    """Why it ended without an order or without delivery, or what holds it."""
    problem: str | None = None
    """The problem type behind ``reason``, such as ``quote-expired``."""


class LinkedQuote(Struct, frozen=True, kw_only=True):
    """What the holder of a link sees of the quote, and whether it can still be accepted."""

    revision: RevisionNumber
    status: str
    """``open``, ``accepted``, ``declined``, ``superseded`` or ``over``; an open list of words."""
    lines: tuple[QuoteLine, ...]
    net: Money | None
    tax: Money | None
    total: Money | None
    valid_until: date


class BankPaymentPart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of the money is for which invoice."""

    invoice_id: RecordId
    amount: Money

    def __post_init__(self) -> None:
        if self.amount.amount_minor <= 0:
            raise ValueError("a part must be above zero")


class NewBankPayment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money that came from an account. ``parts`` None: for its open invoices, the oldest first."""

    account_id: AccountId
    amount: Money
    bank_reference: Annotated[str, Meta(max_length=140)] = ""
    parts: Annotated[tuple[BankPaymentPart, ...], Meta(max_length=200)] | None = None

    def __post_init__(self) -> None:
        if self.amount.amount_minor <= 0:
            raise ValueError("a payment must be above zero")


class BankPayment(Struct, frozen=True, kw_only=True):
    """Money received and the invoices that it was put to; ``unapplied`` is to the account's credit."""

    received_payment_id: RecordId
    account_id: AccountId
    amount: Money
    parts: tuple[BankPaymentPart, ...]
    unapplied: Money


class CreditLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units of an invoice's line to credit; they do not come back."""

    line_no: Annotated[int, Meta(ge=1, le=10_000)]
    quantity: Quantity


class NewCredit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is credited of an invoice of the quote: units, an amount with tax, or all that is left of it."""

    account_id: AccountId
    invoice_id: RecordId
    lines: Annotated[tuple[CreditLine, ...], LineCount] | None = None
    amount: Money | None = None
    reason: Text = ""

    def __post_init__(self) -> None:
        if self.lines is not None and self.amount is not None:
            raise ValueError("name units or an amount, not both")
        if self.amount is not None and self.amount.amount_minor <= 0:
            raise ValueError("a credit must be above zero")


class Credit(Struct, frozen=True, kw_only=True):
    """A credit memo of the ERP."""

    credit_memo_id: RecordId
    account_id: AccountId
    quote_id: RecordId
    invoice_id: RecordId
    net: Money
    tax: Money
    total: Money
    to_refund: Money
    """What of it was paid already, so that the customer has it to come."""


class TimelineEntry(Struct, frozen=True, kw_only=True):
    """One thing that was done for a quote."""

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
    """What was done for a quote, oldest first."""

    quote_id: RecordId
    account_id: AccountId
    entries: tuple[TimelineEntry, ...]
