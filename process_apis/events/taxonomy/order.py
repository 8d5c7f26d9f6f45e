"""What happens to an order as a whole."""

from __future__ import annotations

from msgspec import Struct

from process_apis.events.kind import kind
from system_apis.canonical.values import AccountId, Money, RecordId, Reference, Text


@kind("order.accepted")
class OrderAccepted(Struct, frozen=True, kw_only=True):
    """An order was taken in, and is worked on from now on."""

    order_id: RecordId
    account_id: AccountId
    reference: Reference
    """The customer's own number of it."""
    channel: str


@kind("order.approved")
class OrderApproved(Struct, frozen=True, kw_only=True):
    """An order may go on: it needs nobody's word, or has it."""

    order_id: RecordId
    account_id: AccountId
    total: Money
    approved_by: Text = ""
    """Empty: the rules alone."""


@kind("order.confirmed")
class OrderConfirmed(Struct, frozen=True, kw_only=True):
    """The ERP has the order."""

    order_id: RecordId
    account_id: AccountId
    sales_order_id: RecordId
    total: Money


@kind("order.amended")
class OrderAmended(Struct, frozen=True, kw_only=True):
    """The customer changed an order; what was done for it is done anew."""

    order_id: RecordId
    account_id: AccountId
    amendment: int
    """1 for the first."""


@kind("order.rejected")
class OrderRejected(Struct, frozen=True, kw_only=True):
    """An order can't be fulfilled; everything done for it is undone."""

    order_id: RecordId
    account_id: AccountId
    problem: str
    reason: Text


@kind("order.cancelled")
class OrderCancelled(Struct, frozen=True, kw_only=True):
    """An order was cancelled; everything done for it is undone."""

    order_id: RecordId
    account_id: AccountId
    reason: Text


@kind("order.completed")
class OrderCompleted(Struct, frozen=True, kw_only=True):
    """Everything of an order has left, and is invoiced."""

    order_id: RecordId
    account_id: AccountId
    total: Money | None
