"""Bodies and answers of portal v1 about quotes; why a discount was given is not among them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from system_apis.canonical.values import (
    AccountId,
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


class QuoteAcceptance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A yes to one revision of a quote."""

    revision: RevisionNumber
    reference: Reference | None = None
    """Your own number for the order; None: the quote's."""
    payment: Literal["on_account", "card"] | None = None
    """None: as your terms say."""
    card_token: CardToken | None = None

    def __post_init__(self) -> None:
        if self.payment == "card" and self.card_token is None:
            raise ValueError("card_token is needed to pay by card")


class QuoteRefusal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A no to one revision of a quote."""

    revision: RevisionNumber
    reason: Text = ""


class QuoteLine(Struct, frozen=True, kw_only=True):
    """One offered line; prices are there once it was sent."""

    line_no: int
    sku: Sku
    quantity: Quantity
    unit_price: UnitPrice | None = None
    discount_bp: BasisPoints = 0
    net: Money | None = None


class QuoteInvoice(Struct, frozen=True, kw_only=True):
    """An invoice of the order that the quote became, and what was open of it at the last look."""

    invoice_id: RecordId
    status: str
    total: Money
    open: Money
    due_on: date


class Quote(Struct, frozen=True, kw_only=True):
    """A quote for you and how far it is."""

    quote_id: RecordId
    account_id: AccountId
    number: RecordId | None
    """The number in the letter that came with it."""
    status: QuoteStatus
    revision: RevisionNumber
    lines: tuple[QuoteLine, ...]
    net: Money | None
    tax: Money | None
    total: Money | None
    """None until it was sent."""
    valid_until: date
    order_id: RecordId | None
    """The order that it became."""
    billing: str
    """``not_billed``, ``open``, ``overdue``, ``on_hold`` or ``settled``; an open list of words."""
    invoices: tuple[QuoteInvoice, ...]
    requested_at: datetime
    updated_at: datetime
