"""What a message can be about: one Struct a template, whose fields are the template's parameters.

The name of the template is the Struct's tag, so a message can't be sent with the parameters of
another one, and a template can't ask for what nobody gives. Texts are words for the reader as they
stand: templates escape them, none of them is ever read as a template or as markup itself.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from system_apis.canonical.values import Address, Money, Quantity, RecordId, Reference, Sku

Words = Annotated[str, Meta(max_length=2_000, description="Words for the reader.")]
Link = Annotated[
    str,
    Meta(
        pattern=r"^https?://[!-;=?-~]{1,1900}$",
        description="A whole URL, without blanks.",
        examples=["https://orders.example/o/1"],
    ),
]


class MessageLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product and how many of it, as the reader knows it."""

    sku: Sku
    quantity: Quantity
    name: Annotated[str, Meta(max_length=200)] = ""
    expected_on: date | None = None


MessageLines = Annotated[tuple[MessageLine, ...], Meta(max_length=200)]


class OrderConfirmed(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="order_confirmed", tag_field="template"
):
    """The order is taken, at this price."""

    order_id: RecordId
    order_reference: Reference
    total: Money
    lines: MessageLines = ()
    ship_to: Address | None = None
    expected_on: date | None = None


class OrderBackordered(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="order_backordered", tag_field="template"
):
    """These lines come later than the rest of the order."""

    order_id: RecordId
    order_reference: Reference
    lines: MessageLines
    expected_on: date | None = None


class OrderDelayed(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="order_delayed", tag_field="template"
):
    """The goods come on another day than was said."""

    order_id: RecordId
    order_reference: Reference
    expected_on: date | None = None
    shipment_id: RecordId | None = None
    reason: Words = ""


class OrderShipped(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="order_shipped", tag_field="template"
):
    """Goods are on their way."""

    order_id: RecordId
    order_reference: Reference
    shipment_id: RecordId
    carrier: Annotated[str, Meta(max_length=200)] = ""
    tracking_number: Annotated[str, Meta(max_length=200)] = ""
    tracking_link: Link | None = None
    lines: MessageLines = ()
    expected_on: date | None = None


class OrderCancelled(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="order_cancelled", tag_field="template"
):
    """The order is cancelled; nothing is owed for it."""

    order_id: RecordId
    order_reference: Reference
    reason: Words = ""


class OrderRejected(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="order_rejected", tag_field="template"
):
    """The order was not taken."""

    order_id: RecordId
    order_reference: Reference
    reason: Words = ""


class ApprovalNeeded(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="approval_needed", tag_field="template"
):
    """Somebody has to say yes or no before it goes on."""

    subject: Literal["order", "quote", "return"]
    subject_id: RecordId
    total: Money | None = None
    reason: Words = ""
    decide_by: date | None = None
    link: Link | None = None


class QuoteSent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="quote_sent", tag_field="template"):
    """An offer, and the link by which it is accepted."""

    quote_id: RecordId
    total: Money
    valid_until: date
    link: Link
    lines: MessageLines = ()
    words: Words = ""


class InvoicePosted(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="invoice_posted", tag_field="template"
):
    """An invoice; one that was paid by card says so."""

    invoice_id: RecordId
    total: Money
    due_on: date
    order_reference: Reference | None = None
    paid: bool = False
    lines: MessageLines = ()


class PaymentReminder(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="payment_reminder", tag_field="template"
):
    """An invoice is not paid: friendly, then firm, then the last word."""

    invoice_id: RecordId
    stage: Literal[1, 2, 3]
    due: Money
    due_on: date
    pay_by: date | None = None


class ReturnAuthorised(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="return_authorised", tag_field="template"
):
    """Goods may come back, to this place until this day."""

    return_id: RecordId
    order_reference: Reference
    lines: MessageLines
    send_to: Address | None = None
    send_by: date | None = None


class ReturnCredited(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="return_credited", tag_field="template"
):
    """What came back is credited: to the account, or to the card that paid."""

    return_id: RecordId
    order_reference: Reference
    credit: Money
    by: Literal["account", "card"]
    lines: MessageLines = ()
    credit_memo_id: RecordId | None = None


class ReturnClosed(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="return_closed", tag_field="template"
):
    """A return ended without credit: refused, cancelled, or nothing came."""

    return_id: RecordId
    order_reference: Reference
    outcome: Literal["refused", "cancelled", "expired", "rejected"]
    reason: Words = ""


class ExceptionEscalated(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="exception_escalated", tag_field="template"
):
    """Something is stuck and its time is over."""

    exception_id: RecordId
    queue: Annotated[str, Meta(max_length=40)]
    subject_id: RecordId
    step: Annotated[str, Meta(max_length=80)]
    due_at: datetime
    reason: Words = ""
    link: Link | None = None


class SubscriptionDisabled(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="subscription_disabled", tag_field="template"
):
    """An endpoint failed for so long that nothing is delivered to it any more."""

    subscription_id: RecordId
    endpoint: Annotated[str, Meta(max_length=2_000)]
    failures: Quantity
    failing_since: datetime | None = None
    reason: Words = ""


Content = (
    OrderConfirmed
    | OrderBackordered
    | OrderDelayed
    | OrderShipped
    | OrderCancelled
    | OrderRejected
    | ApprovalNeeded
    | QuoteSent
    | InvoicePosted
    | PaymentReminder
    | ReturnAuthorised
    | ReturnCredited
    | ReturnClosed
    | ExceptionEscalated
    | SubscriptionDisabled
)
"""Everything that a message can be about."""

TemplateName = Literal[
    "order_confirmed",
    "order_backordered",
    "order_delayed",
    "order_shipped",
    "order_cancelled",
    "order_rejected",
    "approval_needed",
    "quote_sent",
    "invoice_posted",
    "payment_reminder",
    "return_authorised",
    "return_credited",
    "return_closed",
    "exception_escalated",
    "subscription_disabled",
]
