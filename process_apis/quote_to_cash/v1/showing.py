"""Between the flow's own record of a quote and what this version takes in and shows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from process_apis.quote_to_cash.record import Line, QuoteRecord
from process_apis.quote_to_cash.v1.model import (
    BankPayment,
    BankPaymentPart,
    Credit,
    LinkedQuote,
    NewBankPayment,
    NewCredit,
    NewQuoteLine,
    Quote,
    QuoteInvoice,
    QuoteLine,
    TimelineEntry,
)
from system_apis.erp.v1.model import (
    CreditedQuantity,
    CreditMemo,
    NewCreditMemo,
    NewReceivedPayment,
    PaymentAllocation,
    ReceivedPayment,
)


def shown(quote: QuoteRecord) -> Quote:
    """What this version shows of a quote."""
    accepted = quote.answer is not None and quote.answer.accepted
    return Quote(
        quote_id=quote.quote_id,
        account_id=quote.account_id,
        status=quote.status,  # type: ignore[arg-type] - the flow's table names only these statuses, a test holds it
        stage=quote.stage,
        revision=quote.revision,
        lines=tuple(map(_line, quote.lines)),
        valid_until=quote.valid_until,
        requested_at=quote.requested_at,
        updated_at=quote.updated_at,
        note=quote.note,
        net=quote.net,
        tax=quote.tax,
        total=quote.total,
        waits_for_approval=waits_for_approval(quote),
        over_limit=quote.over_limit,
        approved_by=quote.decision.by if quote.decision and quote.decision.approved else None,
        crm_quote_id=quote.crm_quote_id,
        opportunity_id=quote.opportunity_id,
        ship_to=quote.ship_to,
        reference=quote.answer.reference if quote.answer else None,
        accepted_at=quote.answer.at if quote.answer and accepted else None,
        order_id=quote.order_id,
        order_status=quote.order_status,
        billing=quote.billing,
        invoices=tuple(
            QuoteInvoice(
                invoice_id=one.invoice_id, status=one.status, total=one.total, open=one.open, due_on=one.due_on
            )
            for one in quote.invoices
        ),
        reminders=quote.reminders,
        reason=quote.end_reason or quote.order_reason,
        problem=quote.problem,
    )


def waits_for_approval(quote: QuoteRecord) -> bool:
    """Whether somebody has to say yes to its discounts now."""
    return quote.stage == "approve" and quote.needs_approval and quote.status == "requested"


def linked(quote: QuoteRecord, revision: int) -> LinkedQuote:
    """What the holder of a link to ``revision`` sees: of an older one nothing but that it is superseded."""
    newest = revision == quote.revision
    status = "superseded"
    if newest:
        accepted = quote.answer is not None and quote.answer.accepted
        status = "accepted" if accepted else _LINK_STATUS.get(quote.status, "over")
    return LinkedQuote(
        revision=revision,
        status=status,
        lines=tuple(map(_line, quote.lines)) if newest else (),
        net=quote.net if newest else None,
        tax=quote.tax if newest else None,
        total=quote.total if newest else None,
        valid_until=quote.valid_until,
    )


def lines_of(lines: tuple[NewQuoteLine, ...]) -> tuple[Line, ...]:
    """What is wished for, numbered."""
    return tuple(
        Line(line_no=number, sku=line.sku, quantity=line.quantity, wanted_discount_bp=line.wanted_discount_bp)
        for number, line in enumerate(lines, 1)
    )


def erp_payment(payment: NewBankPayment) -> NewReceivedPayment:
    """Money received, as the ERP posts it."""
    parts = payment.parts
    return NewReceivedPayment(
        account_id=payment.account_id,
        amount=payment.amount,
        bank_reference=payment.bank_reference,
        allocations=None
        if parts is None
        else tuple(PaymentAllocation(invoice_id=one.invoice_id, amount=one.amount) for one in parts),
    )


def payment_of(posted: ReceivedPayment) -> BankPayment:
    """Money received, as the ERP has it."""
    return BankPayment(
        received_payment_id=posted.received_payment_id,
        account_id=posted.account_id,
        amount=posted.amount,
        parts=tuple(BankPaymentPart(invoice_id=one.invoice_id, amount=one.amount) for one in posted.allocations),
        unapplied=posted.unapplied,
    )


def erp_credit(credit: NewCredit) -> NewCreditMemo:
    """A credit, as the ERP posts it."""
    lines = credit.lines
    return NewCreditMemo(
        account_id=credit.account_id,
        invoice_id=credit.invoice_id,
        lines=None
        if lines is None
        else tuple(CreditedQuantity(line_no=one.line_no, quantity=one.quantity) for one in lines),
        amount=credit.amount,
        reason=credit.reason,
    )


def credit_of(quote_id: str, posted: CreditMemo) -> Credit:
    """A credit, as the ERP has it."""
    return Credit(
        credit_memo_id=posted.credit_memo_id,
        account_id=posted.account_id,
        quote_id=quote_id,
        invoice_id=posted.invoice_id,
        net=posted.net,
        tax=posted.tax,
        total=posted.total,
        to_refund=posted.to_refund,
    )


def entry_of(row: Any, at: datetime) -> TimelineEntry:
    """A row of the timeline."""
    return TimelineEntry(
        at=at,
        step=row.step,
        tier=row.tier,
        api=row.api,
        operation=row.operation,
        outcome=row.outcome,
        detail=row.detail,
        duration_ms=row.duration_ms,
    )


_LINK_STATUS = {"sent": "open", "declined": "declined"}


def _line(line: Line) -> QuoteLine:
    return QuoteLine(
        line_no=line.line_no,
        sku=line.sku,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount_bp=line.discount_bp,
        net=line.net,
        tax_rate_bp=line.tax_rate_bp if line.net is not None else None,
    )
