"""What happens to the money of an order."""

from __future__ import annotations

from msgspec import Struct

from process_apis.events.kind import kind
from system_apis.canonical.values import AccountId, Money, RecordId


@kind("payment.captured")
class PaymentCaptured(Struct, frozen=True, kw_only=True):
    """Money was taken from a customer's card."""

    payment_id: RecordId
    account_id: AccountId
    order_id: RecordId
    amount: Money
    """In all so far."""


@kind("payment.refunded")
class PaymentRefunded(Struct, frozen=True, kw_only=True):
    """Money went back to a customer's card."""

    payment_id: RecordId
    account_id: AccountId
    order_id: RecordId
    amount: Money
    """In all so far."""
