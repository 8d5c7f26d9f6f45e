"""What a return is to the systems of record: the questions about its order, and the documents made of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from governance.call import child_key
from governance.contract import NotFound, operation_of
from process_apis.returns.record import OF_PROCESS, Line, ReturnRecord
from process_apis.returns.settings import ReturnSettings
from system_apis.canonical.entities import Invoice, Return, SalesOrder, SalesOrderLine, Shipment
from system_apis.canonical.refusals import OtherSalesOrder, QuantityExceeded, ReturnWindowClosed
from system_apis.canonical.values import Money, half_up
from system_apis.erp.v1.contract import ErpV1
from system_apis.erp.v1.model import InspectedLine, NewReturn, NewReturnLine, ReturnInspection
from system_apis.notifications.v1.model import MessageLine

LEFT = frozenset({"dispatched", "delivered", "delayed"})
POSTED_IN = "post_order"
"""The step of order to fulfillment that posts an order to the ERP."""
MOST_REVISIONS = 1_000
"""An order that begins anew is posted anew, under the key of its next revision; more than this none has."""


def refuse_other(goods: ReturnRecord, order: SalesOrder) -> None:
    """Refuse a sales order that was not posted for the order: goods of one would be credited as another's.

    The ERP keeps it under the key of the order's own posting, which nobody else's is.

    Raises:
        OtherSalesOrder
    """
    posting = operation_of(ErpV1.post_sales_order).id
    if any(order.reference == child_key(goods.order_id, posting, POSTED_IN, one) for one in range(MOST_REVISIONS)):
        return
    raise OtherSalesOrder(
        order_id=goods.order_id,
        sales_order_id=goods.sales_order_id,
        field="sales_order_id",
        detail=f"sales_order_id: {goods.sales_order_id} is not what order {goods.order_id} was posted as.",
    )


def refuse_too_late(invoices: Iterable[Invoice], settings: ReturnSettings, now: datetime) -> None:
    """Refuse when the window has closed; an order without an invoice has none yet.

    Raises:
        ReturnWindowClosed
    """
    issued = [invoice.issued_at for invoice in invoices]
    if not issued:
        return
    closes = max(issued) + timedelta(seconds=settings.window_s)
    if now > closes:
        raise ReturnWindowClosed(closed_on=closes.date(), detail=f"It could be returned until {closes.date()}.")


def placed(
    goods: ReturnRecord, order: SalesOrder, shipments: Iterable[Shipment], before: Iterable[Return]
) -> tuple[Line, ...]:
    """The lines with the warehouse that each goes to; of what an order's own process expects, what is left of it.

    Raises:
        NotFound: a product is not of this order.
        QuantityExceeded: more is wanted back than was shipped and not returned yet.
    """
    left = [shipment for shipment in shipments if shipment.status in LEFT]
    known = tuple(before)
    sold = {line.sku for line in order.lines}
    lines = goods.lines
    for line in goods.lines:
        if line.sku not in sold:
            raise NotFound
        shipped = sum(one.quantity for shipment in left for one in shipment.lines if one.sku == line.sku)
        returned = sum(one.quantity for other in known for one in other.lines if one.sku == line.sku)
        remaining = max(0, shipped - returned)
        if line.quantity > remaining:
            lines = lessened(goods, lines, QuantityExceeded(sku=line.sku, remaining=remaining, requested=line.quantity))
    return tuple(replace(line, warehouse=goods.warehouse or _origin(left, line.sku)) for line in lines)


def lessened(goods: ReturnRecord, lines: tuple[Line, ...], why: QuantityExceeded) -> tuple[Line, ...]:
    """The lines with what is left of a product, where the order's own process asks; it may know less than others did.

    Raises:
        QuantityExceeded: somebody else asks, or nothing is left.
    """
    fewer = (
        replace(line, quantity=min(line.quantity, why.remaining)) if line.sku == why.sku else line for line in lines
    )
    rest = tuple(line for line in fewer if line.quantity)
    if goods.reason != OF_PROCESS or not rest:
        raise why
    return rest


def value_of(lines: Iterable[Line], order: SalesOrder) -> Money:
    """What the goods were sold for, tax included; rounded once a line."""
    worth = Money(0, order.currency)
    for line in lines:
        quantity = line.quantity
        for sold in order.lines:
            part = min(quantity, sold.quantity) if sold.sku == line.sku else 0
            worth, quantity = worth + _worth(sold, part), quantity - part
    return worth


def erp_return(goods: ReturnRecord) -> NewReturn:
    """The return as the ERP authorises it."""
    return NewReturn(
        account_id=goods.account_id,
        sales_order_id=goods.sales_order_id,
        lines=tuple(
            NewReturnLine(sku=line.sku, warehouse=line.warehouse or "", quantity=line.quantity) for line in goods.lines
        ),
        reason=goods.reason,
    )


def erp_inspection(goods: ReturnRecord) -> ReturnInspection:
    """What was accepted, as the ERP posts it. Raises ``ValueError`` before it is known."""
    if goods.inspection is None or goods.receipt is None:
        raise ValueError(f"return {goods.return_id} was not inspected")
    lines = tuple(
        InspectedLine(
            sku=line.sku,
            warehouse=goods.receipt.warehouse or line.warehouse or "",
            restocked=found.restocked,
            scrapped=found.scrapped,
        )
        for line in goods.lines
        if (found := goods.inspection.of(line.sku)).accepted
    )
    return ReturnInspection(account_id=goods.account_id, lines=lines)


def wanted_lines(goods: ReturnRecord) -> tuple[MessageLine, ...]:
    """What is to come back, for a reader."""
    return tuple(MessageLine(sku=line.sku, quantity=line.quantity) for line in goods.lines)


def credited_lines(goods: ReturnRecord) -> tuple[MessageLine, ...]:
    """What was accepted, for a reader."""
    accepted = goods.inspection.lines if goods.inspection else ()
    return tuple(MessageLine(sku=line.sku, quantity=line.accepted) for line in accepted if line.accepted)


def _origin(shipments: Iterable[Shipment], sku: str) -> str | None:
    return next((one.warehouse for one in shipments if any(line.sku == sku for line in one.lines)), None)


def _worth(sold: SalesOrderLine, quantity: int) -> Money:
    net = Money(half_up(sold.net.amount_minor * quantity, sold.quantity), sold.net.currency)
    return net + net.share(sold.tax_rate_bp)
