"""What happens to an invoice."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from process_apis.events.kind import kind
from system_apis.canonical.values import AccountId, Money, RecordId


@kind("invoice.posted")
class InvoicePosted(Struct, frozen=True, kw_only=True):
    """The customer owes the amount of an invoice."""

    invoice_id: RecordId
    account_id: AccountId
    sales_order_id: RecordId
    total: Money
    due_on: date | None = None


@kind("invoice.paid")
class InvoicePaid(Struct, frozen=True, kw_only=True):
    """Nothing of an invoice is open any more."""

    invoice_id: RecordId
    account_id: AccountId
    sales_order_id: RecordId
    total: Money


@kind("invoice.credited")
class InvoiceCredited(Struct, frozen=True, kw_only=True):
    """A part of an invoice, or all of it, is not owed any more."""

    invoice_id: RecordId
    account_id: AccountId
    sales_order_id: RecordId
    credited: Money
    """In all so far."""


@kind("invoice.overdue")
class InvoiceOverdue(Struct, frozen=True, kw_only=True):
    """An invoice was not paid in time."""

    invoice_id: RecordId
    account_id: AccountId
    open: Money
    due_on: date
    dunning_stage: int
    """1 for the first reminder."""
