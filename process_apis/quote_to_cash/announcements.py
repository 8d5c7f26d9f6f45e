"""What the flow announces of a quote, step by step: its events, from the state that the step left."""

from __future__ import annotations

from msgspec import Struct

from process_apis.events.event import NewEvent
from process_apis.events.kind import happened, of_record
from process_apis.events.taxonomy.invoice import InvoiceOverdue
from process_apis.events.taxonomy.quote import (
    QuoteAccepted,
    QuoteConverted,
    QuoteDeclined,
    QuoteExpired,
    QuoteRevised,
    QuoteSent,
)
from process_apis.quote_to_cash.record import QuoteRecord

Events = tuple[NewEvent, ...]
SOURCE = "/process/quote-to-cash/v1"


def revised(quote: QuoteRecord) -> Events:
    """The revision before it can no longer be accepted."""
    if quote.revision == 1:
        return ()
    return (_told(quote, QuoteRevised(**_whose(quote), revision=quote.revision)),)


def sent(quote: QuoteRecord) -> Events:
    """The customer has it."""
    told = QuoteSent(**_whose(quote), revision=quote.revision, total=quote.total_offered, valid_until=quote.valid_until)
    return (_told(quote, told),)


def accepted(quote: QuoteRecord) -> Events:
    """The customer said yes."""
    return (_told(quote, QuoteAccepted(**_whose(quote), revision=quote.revision, total=quote.total_offered)),)


def converted(quote: QuoteRecord) -> Events:
    """It is an order."""
    return (_told(quote, QuoteConverted(**_whose(quote), order_id=quote.order_id or "")),)


def overdue(quote: QuoteRecord) -> Events:
    """Its invoices are not paid; once for each of them and stage."""
    return tuple(
        happened(
            told := InvoiceOverdue(
                invoice_id=one.invoice_id,
                account_id=quote.account_id,
                open=one.open,
                due_on=one.due_on,
                dunning_stage=quote.reminders,
            ),
            subject=one.invoice_id,
            account_id=quote.account_id,
            source=SOURCE,
            source_id=of_record(told, f"{one.invoice_id}:{quote.reminders}"),
        )
        for one in quote.invoices
        if one.status == "open"
    )


def ended(quote: QuoteRecord) -> Events:
    """Nobody accepted it."""
    match quote.status:
        case "expired":
            return (_told(quote, QuoteExpired(**_whose(quote))),)
        case "declined" | "rejected" | "cancelled":
            return (_told(quote, QuoteDeclined(**_whose(quote), reason=(quote.end_reason or "")[:2_000])),)
        case _:
            return ()


def _whose(quote: QuoteRecord) -> dict[str, str]:
    return {"quote_id": quote.quote_id, "account_id": quote.account_id}


def _told(quote: QuoteRecord, data: Struct) -> NewEvent:
    return happened(data, subject=quote.quote_id, account_id=quote.account_id, source=SOURCE)
