"""Who is sold to: accounts, their people, opportunities, quotes, cases and activities."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from system_apis.canonical.values import (
    AccountId,
    Address,
    BasisPoints,
    Money,
    Name,
    Quantity,
    RecordId,
    Reference,
    Sku,
    Text,
    UnitPrice,
)


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
