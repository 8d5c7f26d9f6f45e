"""What is handed to CRM to be written: entities without what the system of record adds itself.

CRM adds identifiers, references, states, sums and times. A draft never carries them, so a caller
can't claim a number or a state that CRM did not give.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from system_apis.canonical.values import (
    AccountId,
    Address,
    BasisPoints,
    Money,
    Name,
    Quantity,
    RecordId,
    Sku,
    Text,
    UnitPrice,
)

Email = Annotated[str, Meta(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$", examples=["buyer@acme.example"])]
Phone = Annotated[str, Meta(max_length=40)]
Language = Annotated[
    str, Meta(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$", description="BCP 47 tag.", examples=["en", "de-AT"])
]
OrderId = Annotated[str, Meta(max_length=80, description="The order this is about; empty for none.")]
ActivityKind = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$", examples=["order_completed"])]
OpportunityStage = Literal["qualifying", "proposing", "negotiating", "won", "lost"]
Priority = Literal["low", "normal", "high"]


class AccountDetails(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything about an account but its number."""

    name: Name
    owner: Name
    billing_address: Address
    shipping_address: Address
    status: Literal["active", "on_hold", "closed"] = "active"
    parent_id: AccountId | None = None
    segment: Literal["key", "standard", "small"] = "standard"
    language: Language = "en"


class NewContact(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person to add to an account."""

    account_id: AccountId
    name: Name
    email: Email
    phone: Phone = ""
    role: Literal["buyer", "finance", "receiving", "executive"] = "buyer"


class NewOpportunity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sale that may come about."""

    account_id: AccountId
    title: Name
    value: Money
    expected_close: date
    stage: Literal["qualifying", "proposing", "negotiating"] = "qualifying"


class NewQuoteLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line to offer; CRM works out its net."""

    sku: Sku
    quantity: Quantity
    unit_price: UnitPrice
    discount_bp: BasisPoints = 0


NewQuoteLines = Annotated[tuple[NewQuoteLine, ...], Meta(min_length=1, max_length=500)]


class NewQuote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An offer to draw up; all lines are in one currency."""

    account_id: AccountId
    lines: NewQuoteLines
    valid_until: date
    opportunity_id: RecordId | None = None


class QuoteRevision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New lines, and a new last day, for an offer of this account that is not accepted yet."""

    account_id: AccountId
    lines: NewQuoteLines
    valid_until: date


class NewCase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something a customer needs settled."""

    account_id: AccountId
    subject: Name
    body: Text = ""
    priority: Priority = "normal"
    order_id: OrderId = ""


class NewActivity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that happened; ``subject_id`` is what it is about, such as an order."""

    account_id: AccountId
    kind: ActivityKind
    summary: Text
    subject_id: OrderId = ""
