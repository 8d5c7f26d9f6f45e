"""What happens to a quote."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from process_apis.events.kind import kind
from system_apis.canonical.values import AccountId, Money, RecordId, Text


@kind("quote.sent")
class QuoteSent(Struct, frozen=True, kw_only=True):
    """A quote was sent to the customer."""

    quote_id: RecordId
    account_id: AccountId
    revision: int
    total: Money
    valid_until: date


@kind("quote.revised")
class QuoteRevised(Struct, frozen=True, kw_only=True):
    """A quote has a new revision; the one before can no longer be accepted."""

    quote_id: RecordId
    account_id: AccountId
    revision: int


@kind("quote.accepted")
class QuoteAccepted(Struct, frozen=True, kw_only=True):
    """The customer accepted a quote."""

    quote_id: RecordId
    account_id: AccountId
    revision: int
    total: Money


@kind("quote.declined")
class QuoteDeclined(Struct, frozen=True, kw_only=True):
    """The customer, or whoever had to approve it, declined a quote."""

    quote_id: RecordId
    account_id: AccountId
    reason: Text = ""


@kind("quote.expired")
class QuoteExpired(Struct, frozen=True, kw_only=True):
    """A quote was not accepted while it was valid."""

    quote_id: RecordId
    account_id: AccountId


@kind("quote.converted")
class QuoteConverted(Struct, frozen=True, kw_only=True):
    """An accepted quote became an order."""

    quote_id: RecordId
    account_id: AccountId
    order_id: RecordId
