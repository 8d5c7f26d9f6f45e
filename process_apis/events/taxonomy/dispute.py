"""What goes wrong with the money of an order, as its payment provider reports it."""

from __future__ import annotations

from msgspec import Struct

from process_apis.events.kind import kind
from system_apis.canonical.values import AccountId, Money, RecordId, Text


@kind("payment.failed")
class PaymentFailed(Struct, frozen=True, kw_only=True):
    """Money that was set aside could not be taken."""

    payment_id: RecordId
    account_id: AccountId
    order_id: RecordId
    amount: Money | None
    reason: Text


@kind("payment.disputed")
class PaymentDisputed(Struct, frozen=True, kw_only=True):
    """A customer wants money back from the bank."""

    payment_id: RecordId
    account_id: AccountId
    order_id: RecordId
    amount: Money | None
    reason: Text
