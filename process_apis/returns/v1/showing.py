"""Between the flow's own record of a return and what this version takes in and shows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from process_apis.returns.record import Decision, Inspected, Inspection, Line, Receipt, Received, ReturnRecord
from process_apis.returns.v1.model import (
    InspectedLine,
    Return,
    ReturnDecision,
    ReturnInspection,
    ReturnLine,
    ReturnReceipt,
    TimelineEntry,
)


def shown(goods: ReturnRecord) -> Return:
    """What this version shows of a return."""
    return Return(
        return_id=goods.return_id,
        account_id=goods.account_id,
        order_id=goods.order_id,
        sales_order_id=goods.sales_order_id,
        order_reference=goods.order_reference,
        status=goods.status,  # type: ignore[arg-type] - the flow's table names only these statuses, a test holds it
        stage=goods.stage,
        reason=goods.reason,
        note=goods.note,
        lines=tuple(_line(goods, line) for line in goods.lines) + _unexpected(goods),
        requested_at=goods.requested_at,
        updated_at=goods.updated_at,
        rma=goods.rma,
        send_by=goods.send_by,
        value=goods.value,
        waits_for_decision=goods.stage == "decide",
        credit=goods.credit,
        uncredited=goods.uncredited,
        credit_memo_ids=goods.credit_memo_ids,
        credited_by=goods.credited_by,
        refunded=goods.refund.amount if goods.refund else None,
        end_reason=goods.end_reason,
        problem=goods.problem,
    )


def decision_of(decision: ReturnDecision, by: str) -> Decision:
    """What was decided, and by whom."""
    return Decision(approved=decision.approved, by=by, reason=decision.reason)


def receipt_of(receipt: ReturnReceipt) -> Receipt:
    """What came, product by product."""
    units: dict[str, int] = {}
    for line in receipt.lines:
        units[line.sku] = units.get(line.sku, 0) + line.quantity
    came = tuple(Received(sku, quantity) for sku, quantity in units.items())
    return Receipt(lines=came, warehouse=receipt.warehouse, note=receipt.note)


def inspection_of(inspection: ReturnInspection, receipt: Receipt) -> Inspection:
    """What became of everything that came; what nobody named is rejected."""
    found = tuple(_inspected(one.sku, one.quantity, inspection.lines) for one in receipt.lines)
    return Inspection(lines=found, reason=inspection.reason)


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


def _inspected(sku: str, came: int, lines: tuple[InspectedLine, ...]) -> Inspected:
    about = [line for line in lines if line.sku == sku]
    restocked, scrapped = sum(line.restocked for line in about), sum(line.scrapped for line in about)
    grade = about[0].grade if about else "as_new"
    return Inspected(sku=sku, restocked=restocked, scrapped=scrapped, rejected=came - restocked - scrapped, grade=grade)


def _line(goods: ReturnRecord, line: Line) -> ReturnLine:
    seen = goods.inspection.of(line.sku) if goods.inspection else None
    return ReturnLine(
        sku=line.sku,
        quantity=line.quantity,
        warehouse=line.warehouse,
        received=goods.receipt.of(line.sku) if goods.receipt else None,
        restocked=seen.restocked if seen else None,
        scrapped=seen.scrapped if seen else None,
        rejected=seen.rejected if seen else None,
        grade=seen.grade if seen else None,
    )


def _unexpected(goods: ReturnRecord) -> tuple[ReturnLine, ...]:
    """What came though nobody announced it."""
    announced = {line.sku for line in goods.lines}
    came = goods.receipt.lines if goods.receipt else ()
    return tuple(_line(goods, Line(sku=line.sku, quantity=line.quantity)) for line in came if line.sku not in announced)
