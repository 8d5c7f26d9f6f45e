"""Quotes as a customer sees them: what is offered until when, and what became of it."""

from __future__ import annotations

from experience_apis.portal.v1.quote_model import Quote, QuoteAcceptance, QuoteInvoice, QuoteLine, QuoteRefusal
from process_apis.quote_to_cash.v1 import model as quotes

NOT_OFFERED = frozenset({"requested", "rejected", "on_hold"})
"""Prices of these were not sent, unless an order was made of them."""


def acceptance(account_id: str, wish: QuoteAcceptance) -> quotes.QuoteAcceptance:
    """The yes of this account."""
    return quotes.QuoteAcceptance(
        account_id=account_id,
        revision=wish.revision,
        reference=wish.reference,
        payment=wish.payment,
        card_token=wish.card_token,
    )


def refusal(account_id: str, wish: QuoteRefusal) -> quotes.QuoteRefusal:
    """The no of this account."""
    return quotes.QuoteRefusal(account_id=account_id, revision=wish.revision, reason=wish.reason)


def shown(found: quotes.Quote) -> Quote:
    """A quote and how far it is; what was never sent has no prices here."""
    offered = found.status not in NOT_OFFERED or found.order_id is not None
    return Quote(
        quote_id=found.quote_id,
        account_id=found.account_id,
        number=found.crm_quote_id,
        status=found.status,
        revision=found.revision,
        lines=tuple(_line(line, offered=offered) for line in found.lines),
        net=found.net if offered else None,
        tax=found.tax if offered else None,
        total=found.total if offered else None,
        valid_until=found.valid_until,
        order_id=found.order_id,
        billing=found.billing,
        invoices=tuple(
            QuoteInvoice(
                invoice_id=one.invoice_id, status=one.status, total=one.total, open=one.open, due_on=one.due_on
            )
            for one in found.invoices
        ),
        requested_at=found.requested_at,
        updated_at=found.updated_at,
    )


def _line(line: quotes.QuoteLine, *, offered: bool) -> QuoteLine:
    if not offered:
        return QuoteLine(line_no=line.line_no, sku=line.sku, quantity=line.quantity)
    return QuoteLine(
        line_no=line.line_no,
        sku=line.sku,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount_bp=line.discount_bp,
        net=line.net,
    )
