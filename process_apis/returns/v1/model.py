"""Bodies and answers of returns v1. This version owns all of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from system_apis.canonical.values import (
    AccountId,
    Level,
    Money,
    Quantity,
    RecordId,
    Sku,
    Text,
    WarehouseId,
)

ReturnReason = Literal["not_needed", "damaged", "defective", "wrong_item", "order_cancelled", "other"]
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
Grade = Literal["as_new", "used", "damaged", "defective"]
LineCount = Meta(min_length=1, max_length=200)


class NewReturnLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product and how many of it the customer wants to send back."""

    sku: Sku
    quantity: Quantity


class NewReturn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Goods of one order that are to come back."""

    account_id: AccountId
    order_id: RecordId
    """The order, as its shipments and payments name it."""
    sales_order_id: RecordId
    """The ERP's number of the same order; another order's is refused."""
    lines: Annotated[tuple[NewReturnLine, ...], LineCount]
    reason: ReturnReason
    """`order_cancelled` is for the order's own process: it knows no window and needs no approval."""
    note: Text = ""
    warehouse: WarehouseId | None = None
    """Where the goods go; None: each product to the warehouse that it came from."""


class ReturnDecision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A yes or a no to a return that waits for one, and the reason that the customer is told."""

    account_id: AccountId
    approved: bool
    reason: Text = ""


class ReceivedLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product and how many of it came."""

    sku: Sku
    quantity: Quantity


class ReturnReceipt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came: it may be less than was authorised, or something else."""

    account_id: AccountId
    lines: Annotated[tuple[ReceivedLine, ...], LineCount]
    warehouse: WarehouseId | None = None
    """Where it came in; None: where it was to go."""
    note: Text = ""


class InspectedLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of the received units of a product; units that are not named count as rejected.

    `restocked` units can be sold again, `scrapped` ones can't; both are credited. `rejected` ones are not.
    """

    sku: Sku
    restocked: Level = 0
    scrapped: Level = 0
    rejected: Level = 0
    grade: Grade = "as_new"


class ReturnInspection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The result of looking at what came, and the reason for what was rejected, which the customer is told."""

    account_id: AccountId
    lines: Annotated[tuple[InspectedLine, ...], LineCount]
    reason: Text = ""


class ReturnCancellation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose return is cancelled, and why."""

    account_id: AccountId
    reason: Text = ""


class ReturnLine(Struct, frozen=True, kw_only=True):
    """One product of a return, and what became of it so far; None: not known yet."""

    sku: Sku
    quantity: Quantity
    """What is to come back."""
    warehouse: WarehouseId | None = None
    received: Level | None = None
    restocked: Level | None = None
    scrapped: Level | None = None
    rejected: Level | None = None
    grade: str | None = None


class Return(Struct, frozen=True, kw_only=True):
    """A return and how far it is."""

    return_id: RecordId
    account_id: AccountId
    order_id: RecordId
    sales_order_id: RecordId
    order_reference: str | None = None
    """The customer's own number of the order; None until it was looked up."""
    status: ReturnStatus
    stage: str
    """The step under way in more detail; an open list of words."""
    reason: str
    """Why the goods come back, as the customer said."""
    note: str
    lines: tuple[ReturnLine, ...]
    requested_at: datetime
    updated_at: datetime
    rma: RecordId | None = None
    """The number to write on the parcel, once the return is authorised."""
    send_by: datetime | None = None
    """When the goods must be here."""
    value: Money | None = None
    """What the goods were sold for, tax included."""
    waits_for_decision: bool = False
    credit: Money | None = None
    """What was credited, or is going to be after inspection."""
    uncredited: Money | None = None
    """What of the accepted goods' worth was not credited, because their invoices were credited before."""
    credit_memo_ids: tuple[RecordId, ...] = ()
    credited_by: Literal["account", "card"] | None = None
    refunded: Money | None = None
    """What of the credit went back to a card."""
    end_reason: str | None = None
    """Why it was rejected, cancelled or expired, or what holds it."""
    problem: str | None = None
    """The problem type behind ``end_reason``, such as ``return-window-closed``."""


class TimelineEntry(Struct, frozen=True, kw_only=True):
    """One thing that was done for a return."""

    at: datetime
    """When it began."""
    step: str
    tier: str
    api: str
    """The API that was asked, such as ``erp.v1``; the flow's own for its decisions."""
    operation: str
    outcome: str
    """``done``, ``refused``, ``failed``, ``undone``, ``nothing_to_undo`` and what else may come."""
    detail: str
    duration_ms: int


class Timeline(Struct, frozen=True, kw_only=True):
    """What was done for a return, oldest first."""

    return_id: RecordId
    account_id: AccountId
    entries: tuple[TimelineEntry, ...]
