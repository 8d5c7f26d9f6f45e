"""What a quote is to the systems of record: the documents that are made of it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from process_apis.order_to_fulfillment.v1.model import NewAgreedOrder, NewAgreedOrderLine
from process_apis.quote_to_cash.record import Billed, Line, QuoteRecord
from system_apis.canonical.entities import Invoice
from system_apis.canonical.values import Money
from system_apis.crm.v1.model import NewQuote, NewQuoteLine, QuoteRevision
from system_apis.erp.v1.model import Basket, BasketLine, PricedBasket, PricedLine
from system_apis.notifications.v1.model import MessageLine


def basket(quote: QuoteRecord, discounts: Sequence[int] | None = None) -> Basket:
    """The lines to price: at the account's own prices, or with these discounts in basis points."""
    agreed = discounts if discounts is not None else [None] * len(quote.lines)
    return Basket(
        lines=tuple(
            BasketLine(sku=line.sku, quantity=line.quantity, agreed_discount_bp=discount_bp)
            for line, discount_bp in zip(quote.lines, agreed, strict=True)
        )
    )


def priced(quote: QuoteRecord, found: PricedBasket) -> QuoteRecord:
    """The quote at these prices; at other ones than it had before it is another revision.

    Whatever people said about a revision, they said about its prices.
    """
    lines = tuple(_priced_line(line, at) for line, at in zip(quote.lines, found.lines, strict=True))
    now = replace(quote, lines=lines, net=found.net, tax=found.tax, total=found.total)
    if quote.total is None or (lines, found.total) == (quote.lines, quote.total):
        return now
    return replace(now, revision=quote.revision + 1, decision=None, answer=None)


def crm_quote(quote: QuoteRecord) -> NewQuote:
    """The quote as CRM draws it up."""
    return NewQuote(
        account_id=quote.account_id,
        lines=_crm_lines(quote),
        valid_until=quote.valid_until,
        opportunity_id=quote.opportunity_id,
    )


def crm_revision(quote: QuoteRecord) -> QuoteRevision:
    """What CRM puts in the place of the revision before."""
    return QuoteRevision(account_id=quote.account_id, lines=_crm_lines(quote), valid_until=quote.valid_until)


def agreed_order(quote: QuoteRecord) -> NewAgreedOrder:
    """The order that an accepted quote becomes, at the prices that were offered. Raises ``ValueError`` before that."""
    answer = quote.answer
    if answer is None:
        raise ValueError(f"quote {quote.quote_id} was not accepted")
    return NewAgreedOrder(
        account_id=quote.account_id,
        reference=answer.reference or quote.crm_quote_id or quote.quote_id,
        lines=tuple(
            NewAgreedOrderLine(
                sku=line.sku,
                quantity=line.quantity,
                agreed_price=line.unit_price,
                agreed_discount_bp=line.discount_bp,
            )
            for line in quote.lines
        ),
        ship_to=quote.ship_to,
        payment=answer.payment,
        card_token=answer.card_token,
        repeat=True,
        prepared_by=tuple(dict.fromkeys((*quote.authors, *((answer.by,) if answer.way == "account" else ())))),
    )


def billed(invoice: Invoice) -> Billed:
    """An invoice as it is now, with what is open of it."""
    credited = invoice.credited.amount_minor if invoice.credited else 0
    left = 0
    if invoice.status == "open":
        left = max(0, invoice.total.amount_minor - invoice.paid.amount_minor - credited)
    return Billed(
        invoice_id=invoice.invoice_id,
        status=invoice.status,
        total=invoice.total,
        open=Money(left, invoice.total.currency),
        due_on=invoice.due_on,
    )


def message_lines(quote: QuoteRecord) -> tuple[MessageLine, ...]:
    """What is offered, for a reader."""
    return tuple(MessageLine(sku=line.sku, quantity=line.quantity) for line in quote.lines)


def _crm_lines(quote: QuoteRecord) -> tuple[NewQuoteLine, ...]:
    return tuple(
        NewQuoteLine(sku=line.sku, quantity=line.quantity, unit_price=line.unit_price, discount_bp=line.discount_bp)
        for line in quote.lines
        if line.unit_price is not None
    )


def _priced_line(line: Line, at: PricedLine) -> Line:
    return replace(line, unit_price=at.unit_price, discount_bp=at.discount_bp, net=at.net, tax_rate_bp=at.tax_rate_bp)
