"""What the vendor behind payments reports by webhook, in canonical terms."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from system_apis.canonical.values import Money, RecordId, Text

Kind = Literal["captured", "failed", "refunded", "disputed"]


class PaymentNotice(Struct, frozen=True, kw_only=True):
    """What the provider reports of a payment: it captured or refunded an amount, could not, or its customer disputes it."""

    kind: Kind
    occurred_at: datetime
    payment_id: RecordId
    amount: Money | None = None
    """What was moved or is disputed; None where the provider does not say."""
    reason: Text = ""


class ReceivedPaymentNotice(Struct, frozen=True, kw_only=True):
    """A notice as it was kept."""

    position: int
    event_id: str
    """The vendor's own id of it."""
    notice: PaymentNotice


class PaymentNotices(Struct, frozen=True, kw_only=True):
    """Notices in the order in which they were kept. Go on after ``position``."""

    items: tuple[ReceivedPaymentNotice, ...]
    position: int
