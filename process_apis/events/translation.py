"""What a change of a record means as events, from the record as it is now.

Every event has a source id that follows from the record, so that the same state read twice, by a
change and by a webhook, or told by the flow itself, is one event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from governance.contract import NotFound
from process_apis.events.event import NewEvent
from process_apis.events.kind import happened, of_record
from process_apis.events.taxonomy.invoice import InvoiceCredited, InvoicePaid, InvoicePosted
from process_apis.events.taxonomy.payment import PaymentCaptured, PaymentRefunded
from process_apis.events.taxonomy.price import PriceChanged
from process_apis.events.taxonomy.shipment import (
    ShipmentCancelled,
    ShipmentCreated,
    ShipmentDelayed,
    ShipmentDelivered,
    ShipmentDispatched,
)
from process_apis.events.taxonomy.stock import StockChanged
from system_apis.canonical.changes import Change
from system_apis.canonical.entities import Invoice, Payment, Shipment
from system_apis.canonical.refusals import UnknownProduct
from system_apis.erp.v1.contract import ErpV1
from system_apis.logistics.v1.contract import LogisticsV1
from system_apis.payments.v1.contract import PaymentsV1

Events = tuple[NewEvent, ...]
ERP = "/system/erp/v1"
LOGISTICS = "/system/logistics/v1"
PAYMENTS = "/system/payments/v1"
OrderOf = Callable[[str], str | None]
"""From a sales order of the ERP to the order that it belongs to."""


class Translation:
    """Asks for records, and says what their changes mean."""

    def __init__(self, erp: ErpV1, logistics: LogisticsV1, payments: PaymentsV1) -> None:
        self._erp = erp
        self._logistics = logistics
        self._payments = payments

    async def events_of(self, change: Change) -> Callable[[OrderOf], Events]:
        """What a change means, once it is known which order a sales order belongs to.

        Raises:
            SystemUnavailable: the record can't be read now.
        """
        try:
            match change.kind:
                case "shipment":
                    shipment = await self._logistics.get_shipment(change.record_id)
                    return lambda _: tuple(_of_shipment(shipment))
                case "payment":
                    payment = await self._payments.get_payment(change.record_id)
                    return lambda _: tuple(_of_payment(payment))
                case "invoice":
                    invoice = await self._erp.get_invoice(change.record_id)
                    return lambda order_of: tuple(_of_invoice(invoice, order_of))
                case "stock":
                    return await self._of_stock(change)
                case "price":
                    data = PriceChanged(sku=change.record_id)
                    source_id = of_record(data, f"{change.record_id}:{change.position}")
                    event = happened(data, subject=data.sku, account_id=None, source=ERP, source_id=source_id)
                    return lambda _: (event,)
                case _:  # quotes and channel orders are told of by their flows
                    return lambda _: ()
        except (NotFound, UnknownProduct):  # gone since, so nothing can be said of it
            return lambda _: ()

    async def _of_stock(self, change: Change) -> Callable[[OrderOf], Events]:
        stock = await self._erp.get_availability(change.record_id)
        level = next((one.available for one in stock.positions if one.warehouse == change.place), None)
        if level is None:
            return lambda _: ()
        data = StockChanged(sku=stock.sku, warehouse=change.place, available=level)
        source_id = of_record(data, f"{stock.sku}:{change.place}:{change.position}")
        event = happened(data, subject=stock.sku, account_id=None, source=ERP, source_id=source_id)
        return lambda _: (event,)


def _of_shipment(shipment: Shipment) -> Iterator[NewEvent]:
    named = {
        "shipment_id": shipment.shipment_id,
        "order_id": shipment.order_reference,
        "account_id": shipment.account_id,
    }
    carried = {**named, "carrier": shipment.carrier, "tracking_number": shipment.tracking_number}
    record_id = shipment.shipment_id
    for step in dict.fromkeys(event.status for event in shipment.events):
        match step:
            case "released":
                data, one = ShipmentCreated(**named, warehouse=shipment.warehouse), record_id
            case "dispatched":
                data, one = ShipmentDispatched(**carried), record_id
            case "delayed":
                data = ShipmentDelayed(**carried, promised_on=shipment.promised_on)
                one = f"{record_id}:{shipment.promised_on}"
            case "delivered":
                data, one = ShipmentDelivered(**carried), record_id
            case "cancelled":
                data, one = ShipmentCancelled(**named), record_id
            case _:
                continue
        yield happened(
            data,
            subject=shipment.order_reference,
            account_id=shipment.account_id,
            source=LOGISTICS,
            source_id=of_record(data, one),
        )


def _of_payment(payment: Payment) -> Iterator[NewEvent]:
    for kind, amount in ((PaymentCaptured, payment.captured), (PaymentRefunded, payment.refunded)):
        if amount.amount_minor:
            data = kind(
                payment_id=payment.payment_id,
                account_id=payment.account_id,
                order_id=payment.order_reference,
                amount=amount,
            )
            yield happened(
                data,
                subject=payment.order_reference,
                account_id=payment.account_id,
                source=PAYMENTS,
                source_id=of_record(data, f"{payment.payment_id}:{amount.amount_minor}"),
            )


def _of_invoice(invoice: Invoice, order_of: OrderOf) -> Iterator[NewEvent]:
    named = {
        "invoice_id": invoice.invoice_id,
        "account_id": invoice.account_id,
        "sales_order_id": invoice.sales_order_id,
    }
    told: list[tuple[Struct, str]] = [
        (InvoicePosted(**named, total=invoice.total, due_on=invoice.due_on), invoice.invoice_id)
    ]
    credited = invoice.credited
    if credited is not None and credited.amount_minor:
        told.append((InvoiceCredited(**named, credited=credited), f"{invoice.invoice_id}:{credited.amount_minor}"))
    if invoice.status == "paid":
        told.append((InvoicePaid(**named, total=invoice.total), invoice.invoice_id))
    subject = order_of(invoice.sales_order_id) or invoice.invoice_id
    for data, one in told:
        yield happened(data, subject=subject, account_id=invoice.account_id, source=ERP, source_id=of_record(data, one))
