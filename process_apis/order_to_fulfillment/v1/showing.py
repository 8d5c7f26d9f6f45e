"""What version 1 shows of an order, and of its timeline."""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa

from process_apis.flow.timeline import instant, microseconds
from process_apis.order_to_fulfillment.record import Approval, Line, OrderRecord, Part
from process_apis.order_to_fulfillment.v1.model import (
    Order,
    OrderAllocation,
    OrderApproval,
    OrderLine,
    OrderShipment,
    OrderShipmentLine,
    TimelineEntry,
)


def revision_of(record: OrderRecord) -> int:
    """The revision of an order, which is another one after every change."""
    return microseconds(record.updated_at)


def shown(record: OrderRecord) -> Order:
    """What this version shows of an order."""
    return Order(
        order_id=record.order_id,
        account_id=record.account_id,
        reference=record.reference,
        channel=record.channel,
        status=record.status,  # type: ignore[arg-type] - the flow's table names only these statuses, a test holds it
        stage=record.stage,
        lines=tuple(_shown_line(record, line) for line in record.lines),
        placed_at=record.placed_at,
        updated_at=record.updated_at,
        revision=revision_of(record),
        reason=record.reason,
        problem=record.problem,
        net=record.net,
        tax=record.tax,
        total=record.total,
        payment=record.payment,
        ship_to=record.ship_to,
        requested_on=record.requested_on,
        channel_order_id=record.channel_order_id,
        allocations=tuple(
            OrderAllocation(sku=one.sku, warehouse=one.warehouse, quantity=one.quantity) for one in record.taken
        ),
        sales_order_id=record.sales_order_id,
        invoice_ids=_invoices(record),
        shipment_ids=tuple(part.shipment_id for part in record.parts if part.shipment_id),
        payment_id=record.payment_id,
        duplicate_of=record.duplicate_of,
        approval=_approval(record.approval),
        amendments=record.amendments,
        shipments=tuple(_shipment(part, part.shipment_id) for part in record.parts if part.shipment_id),
        return_ids=record.return_ids,
    )


def _shown_line(record: OrderRecord, line: Line) -> OrderLine:
    priced = line.net is not None
    quantities = Counter[str]()
    for part in record.parts:
        for one in part.lines:
            if one.line_no == line.line_no:
                quantities["cancelled" if part.status == "cancelled" else "shipped" if part.gone else "open"] += (
                    one.quantity
                )
    waits = record.back_order if record.status not in ("rejected", "cancelled") else None
    missing = next((one.quantity for one in record.missing if one.line_no == line.line_no), 0) if waits else 0
    cancelled = line.given_up + quantities["cancelled"]
    return OrderLine(
        line_no=line.line_no,
        sku=line.sku,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount_bp=line.discount_bp,
        net=line.net,
        tax_rate_bp=line.tax_rate_bp if priced else None,
        status=_word(quantities["shipped"], quantities["open"], missing, cancelled),
        shipped=quantities["shipped"],
        cancelled=cancelled,
        back_ordered=missing,
        expected_on=waits.expected_on if waits is not None and missing else None,
    )


def _approval(approval: Approval | None) -> OrderApproval | None:
    if approval is None:
        return None
    return OrderApproval(
        status="approved" if approval.approved_by else "waiting",
        due_at=approval.due_at,
        until=approval.until,
        approved_by=approval.approved_by,
    )


def _word(shipped: int, under_way: int, missing: int, cancelled: int) -> str:
    if shipped:
        return "partly_shipped" if under_way or missing else "shipped"
    if missing:
        return "back_ordered"
    return "allocated" if under_way else "cancelled" if cancelled else "open"


def _invoices(record: OrderRecord) -> tuple[str, ...]:
    by_part = (part.invoice_id for part in record.parts if part.invoice_id)
    return tuple(dict.fromkeys((*((record.invoice_id,) if record.invoice_id else ()), *by_part)))


def _shipment(part: Part, shipment_id: str) -> OrderShipment:
    return OrderShipment(
        shipment_id=shipment_id,
        warehouse=part.warehouse,
        status=part.status,
        lines=tuple(
            OrderShipmentLine(line_no=line.line_no, sku=line.sku, quantity=line.quantity) for line in part.lines
        ),
        carrier=part.carrier,
        tracking_number=part.tracking_number,
        promised_on=part.promised_on,
        invoice_id=part.invoice_id,
    )


def entry(row: sa.Row[tuple[object, ...]]) -> TimelineEntry:
    """A row of the timeline."""
    return TimelineEntry(
        at=instant(row.at_us),
        step=row.step,
        tier=row.tier,
        api=row.api,
        operation=row.operation,
        outcome=row.outcome,
        detail=row.detail,
        duration_ms=row.duration_ms,
    )
