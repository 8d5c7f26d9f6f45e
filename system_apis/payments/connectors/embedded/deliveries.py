"""The webhooks of such a provider: ``payment.captured``, ``.failed``, ``.refunded`` and ``.disputed``."""

from __future__ import annotations

from msgspec import Struct

from governance.contract import Delivery
from system_apis.canonical.values import Money, RecordId, Text
from system_apis.embedded import read_delivery
from system_apis.payments.notices import Kind, PaymentNotice

KINDS: dict[str, Kind] = {
    "payment.captured": "captured",
    "payment.failed": "failed",
    "payment.refunded": "refunded",
    "payment.disputed": "disputed",
}


class Reported(Struct, frozen=True, kw_only=True):
    """Their data."""

    payment_id: RecordId
    amount: Money | None = None
    reason: Text = ""


def notice_of(delivery: Delivery) -> PaymentNotice | None:
    """What a delivery says of a payment; None where it is of another kind.

    Raises:
        InvalidBody: no such provider sends it.
    """
    told = read_delivery(delivery, KINDS, Reported)
    if told is None:
        return None
    data = told.data
    return PaymentNotice(
        kind=told.kind, occurred_at=told.at, payment_id=data.payment_id, amount=data.amount, reason=data.reason
    )
