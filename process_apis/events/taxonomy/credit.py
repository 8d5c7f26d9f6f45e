"""What is decided about an account's credit."""

from __future__ import annotations

from msgspec import Struct

from process_apis.events.kind import kind
from system_apis.canonical.values import AccountId, Money, RecordId


@kind("credit.approved")
class CreditApproved(Struct, frozen=True, kw_only=True):
    """The account may owe what an order comes to."""

    order_id: RecordId
    account_id: AccountId
    amount: Money
