"""Bodies and answers of portal v1 about returns; what the company does with the goods is not among them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from system_apis.canonical.values import AccountId, Level, Money, Quantity, RecordId, Sku, Text

ReturnStatus = Literal[
    "requested",
    "authorised",
    "received",
    "inspected",
    "credited",
    "closed",
    "rejected",
    "cancelled",
    "expired",
    "on_hold",
]


class NewReturnLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product and how many of it you want to send back."""

    sku: Sku
    quantity: Quantity


class NewReturn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Goods of one of your orders that are to come back."""

    order_id: RecordId
    lines: Annotated[tuple[NewReturnLine, ...], Meta(min_length=1, max_length=200)]
    reason: Literal["not_needed", "damaged", "defective", "wrong_item", "other"]
    note: Text = ""


class ReturnLine(Struct, frozen=True, kw_only=True):
    """One product of a return; None: not known yet."""

    sku: Sku
    quantity: Quantity
    received: Level | None = None
    accepted: Level | None = None


class Return(Struct, frozen=True, kw_only=True):
    """A return of yours and how far it is."""

    return_id: RecordId
    account_id: AccountId
    order_id: RecordId
    number: RecordId | None
    """What to write on the parcel, once the return is authorised."""
    status: ReturnStatus
    reason: str
    lines: tuple[ReturnLine, ...]
    send_by: datetime | None
    """When the goods must be with us."""
    credit: Money | None
    credited_by: Literal["account", "card"] | None
    refunded: Money | None
    """What of the credit went back to your card."""
    end_reason: str | None
    """Why it was rejected, cancelled or expired."""
    requested_at: datetime
    updated_at: datetime
