"""What the flow announces of an order, step by step: its events, from the state that the step left.

Each is written in the transaction of the step's checkpoint. What a system of record announces as
well carries that record's name, so it is heard once, whoever announces it first.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from process_apis.events.event import NewEvent
from process_apis.events.kind import happened, of_record
from process_apis.events.taxonomy.credit import CreditApproved
from process_apis.events.taxonomy.inventory import (
    AllocatedGoods,
    InventoryAllocated,
    InventoryBackordered,
    MissingGoods,
)
from process_apis.events.taxonomy.invoice import InvoicePosted
from process_apis.events.taxonomy.order import (
    OrderAccepted,
    OrderAmended,
    OrderApproved,
    OrderCancelled,
    OrderCompleted,
    OrderConfirmed,
    OrderRejected,
)
from process_apis.events.taxonomy.payment import PaymentCaptured
from process_apis.events.taxonomy.shipment import (
    ShipmentCancelled,
    ShipmentCreated,
    ShipmentDelayed,
    ShipmentDispatched,
)
from process_apis.order_to_fulfillment.documents import total_of
from process_apis.order_to_fulfillment.record import Fresh, OrderRecord, Part
from system_apis.canonical.values import total

Events = tuple[NewEvent, ...]
WHOLE = ("amended", "backordered")
SOURCE = "/process/order-to-fulfillment/v1"
ERP = "/system/erp/v1"
LOGISTICS = "/system/logistics/v1"
PAYMENTS = "/system/payments/v1"


def accepted(order: OrderRecord) -> Events:
    """It is taken in."""
    return (_told(order, OrderAccepted(**_whose(order), reference=order.reference, channel=order.channel)),)


def credit_approved(order: OrderRecord) -> Events:
    """The account may owe it."""
    return (_told(order, CreditApproved(**_whose(order), amount=total_of(order))),)


def allocated(order: OrderRecord) -> Events:
    """Goods are set aside for it."""
    goods = tuple(AllocatedGoods(sku=one.sku, warehouse=one.warehouse, quantity=one.quantity) for one in order.taken)
    return (_told(order, InventoryAllocated(**_whose(order), goods=goods)),)


def confirmed(order: OrderRecord) -> Events:
    """Nothing stands against it any more, and the ERP has it."""
    total, sales_order_id = total_of(order), order.sales_order_id or ""
    return (
        _told(order, OrderApproved(**_whose(order), total=total, approved_by=approver_of(order))),
        _told(order, OrderConfirmed(**_whose(order), sales_order_id=sales_order_id, total=total)),
    )


def invoiced(order: OrderRecord) -> Events:
    """The customer owes the money."""
    posted = InvoicePosted(
        invoice_id=order.invoice_id or "",
        account_id=order.account_id,
        sales_order_id=order.sales_order_id or "",
        total=order.invoice_total or total_of(order),
    )
    return (_told(order, posted, ERP, posted.invoice_id),)


def captured(order: OrderRecord) -> Events:
    """The money is taken from the card, where it is paid by card."""
    if order.payment != "card" or order.payment_id is None:
        return ()
    amount = order.invoice_total or total_of(order)
    taken = PaymentCaptured(**_whose(order), payment_id=order.payment_id, amount=amount)
    return (_told(order, taken, PAYMENTS, f"{order.payment_id}:{amount.amount_minor}"),)


def ended(order: OrderRecord) -> Events:
    """It is completed, or will not be."""
    whose = _whose(order)
    reason = (order.reason or "")[:2_000]
    match order.status:
        case "rejected":
            return (_told(order, OrderRejected(**whose, problem=order.problem or "", reason=reason)),)
        case "cancelled":
            return (_told(order, OrderCancelled(**whose, reason=reason)),)
        case _:
            return (_told(order, OrderCompleted(**whose, total=order.total)),)


def approver_of(order: OrderRecord) -> str:
    """Who approved it; empty where nobody had to."""
    return order.approval.approved_by[:2_000] if order.approval is not None else ""


def news(order: OrderRecord) -> Events:
    """What happened to its parts since the checkpoint before."""
    billed = [fresh.number for fresh in order.fresh if fresh.kind == "captured"]
    parts = {part.number: part for part in order.parts}
    told = (
        _of_order(order, fresh) if fresh.kind in WHOLE else _of_part(order, fresh, parts[fresh.number], billed)
        for fresh in order.fresh
    )
    return tuple(_told(order, data, source, record_id) for one in told for data, source, record_id in one)


def _of_order(order: OrderRecord, fresh: Fresh) -> Iterator[tuple[Struct, str, str]]:
    if fresh.kind == "amended":
        amended = OrderAmended(**_whose(order), amendment=fresh.number)
        yield amended, SOURCE, f"{order.order_id}:{fresh.number}"
    elif order.missing:
        goods = tuple(MissingGoods(sku=line.sku, quantity=line.quantity) for line in order.missing)
        yield InventoryBackordered(**_whose(order), goods=goods), SOURCE, f"{order.order_id}:{fresh.number}"


def _of_part(order: OrderRecord, fresh: Fresh, part: Part, billed: list[int]) -> Iterator[tuple[Struct, str, str]]:
    shipment = {**_whose(order), "shipment_id": part.shipment_id or ""}
    carried = {**shipment, "carrier": part.carrier, "tracking_number": part.tracking_number}
    shipment_id = part.shipment_id or f"{order.order_id}:{part.number}"
    match fresh.kind:
        case "released":
            yield ShipmentCreated(**shipment, warehouse=part.warehouse), LOGISTICS, shipment_id
        case "dispatched":
            yield ShipmentDispatched(**carried), LOGISTICS, shipment_id
        case "delayed":
            delayed = ShipmentDelayed(**carried, promised_on=part.promised_on)
            yield delayed, LOGISTICS, f"{shipment_id}:{part.promised_on}"
        case "cancelled":
            if part.shipment_id is not None:
                yield ShipmentCancelled(**shipment), LOGISTICS, shipment_id
        case "invoiced":
            posted = InvoicePosted(
                invoice_id=part.invoice_id or "",
                account_id=order.account_id,
                sales_order_id=order.sales_order_id or "",
                total=part.total or total_of(order),
            )
            yield posted, ERP, posted.invoice_id
        case "captured":
            if order.payment == "card" and order.payment_id is not None:
                later = billed[billed.index(part.number) + 1 :]
                paid = [one.total for one in order.parts if one.total is not None and one.number not in later]
                amount = total(tuple(paid), paid[0].currency)
                taken = PaymentCaptured(**_whose(order), payment_id=order.payment_id, amount=amount)
                yield taken, PAYMENTS, f"{order.payment_id}:{amount.amount_minor}"
        case _:
            return


def _whose(order: OrderRecord) -> dict[str, str]:
    return {"order_id": order.order_id, "account_id": order.account_id}


def _told(order: OrderRecord, data: Struct, source: str = SOURCE, record_id: str | None = None) -> NewEvent:
    return happened(
        data,
        subject=order.order_id,
        account_id=order.account_id,
        source=source,
        source_id=of_record(data, record_id) if record_id is not None else None,
    )
