"""What the process tier answers, as a customer sees it: internal numbers and wording stay behind."""

from __future__ import annotations

from datetime import date

import msgspec
from msgspec import Struct

from experience_apis.portal.v1.model import (
    Account,
    Credit,
    Invoice,
    InvoiceDetail,
    InvoiceLine,
    Order,
    OrderEvent,
    OrderLine,
    OrderSummary,
    Price,
    Product,
    ProductDetail,
    Shipment,
    ShipmentDetail,
    ShipmentLine,
    Timeline,
    TimelineEntry,
    TrackingEvent,
)
from process_apis.catalogue.v1 import model as catalogue
from process_apis.customer_account.v1 import model as customer_account
from process_apis.events.v1 import model as events
from process_apis.order_to_fulfillment.v1 import model as fulfillment


def product(found: catalogue.AccountProduct) -> Product:
    """A product in a list."""
    return Product(
        sku=found.sku,
        name=found.name,
        category=found.category,
        unit=found.unit,
        status=found.status,
        price=_price(found.price),
        available=found.available,
        account_id=found.account_id,
    )


def product_detail(found: catalogue.ProductDetail) -> ProductDetail:
    """A product by itself."""
    return ProductDetail(
        sku=found.sku,
        name=found.name,
        category=found.category,
        unit=found.unit,
        description=found.description,
        status=found.status,
        weight_g=found.weight_g,
        price=_price(found.price),
        available=found.available,
        account_id=found.account_id,
    )


def _price(found: catalogue.AccountPrice | None) -> Price | None:
    if found is None:
        return None
    return Price(
        quantity=found.quantity,
        unit_price=found.unit_price,
        discount_bp=found.discount_bp,
        net=found.net,
        tax_rate_bp=found.tax_rate_bp,
    )


def order(found: fulfillment.Order) -> Order:
    """An order by itself."""
    return Order(
        order_id=found.order_id,
        account_id=found.account_id,
        reference=found.reference,
        status=found.status,
        stage=found.stage,
        reason=found.reason,
        problem=found.problem,
        lines=tuple(
            OrderLine(
                line_no=line.line_no,
                sku=line.sku,
                quantity=line.quantity,
                unit_price=line.unit_price,
                discount_bp=line.discount_bp,
                net=line.net,
                tax_rate_bp=line.tax_rate_bp,
                status=line.status,
                shipped=line.shipped,
                back_ordered=line.back_ordered,
                cancelled=line.cancelled,
                expected_on=line.expected_on,
            )
            for line in found.lines
        ),
        net=found.net,
        tax=found.tax,
        total=found.total,
        payment=found.payment,
        ship_to=found.ship_to,
        requested_on=found.requested_on,
        shipment_ids=found.shipment_ids,
        invoice_ids=found.invoice_ids,
        placed_at=found.placed_at,
        updated_at=found.updated_at,
        revision=found.revision,
        return_ids=found.return_ids,
    )


def order_summary(found: fulfillment.Order) -> OrderSummary:
    """An order in a list."""
    return OrderSummary(
        order_id=found.order_id,
        account_id=found.account_id,
        reference=found.reference,
        status=found.status,
        stage=found.stage,
        reason=found.reason,
        total=found.total,
        placed_at=found.placed_at,
        updated_at=found.updated_at,
    )


def timeline(found: fulfillment.Timeline) -> Timeline:
    """Steps and outcomes; which system was asked and what it said is nobody's business outside."""
    return Timeline(
        order_id=found.order_id,
        account_id=found.account_id,
        entries=tuple(TimelineEntry(at=entry.at, step=entry.step, outcome=entry.outcome) for entry in found.entries),
    )


class Told(Struct, frozen=True, kw_only=True):
    """What of an event's data a customer is shown."""

    shipment_id: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    promised_on: date | None = None
    invoice_id: str | None = None
    reason: str | None = None


def order_event(order_id: str, account_id: str, found: events.CloudEvent) -> OrderEvent:
    """Something that happened to an order."""
    told = msgspec.json.decode(found.data, type=Told)
    return OrderEvent(
        id=found.id,
        order_id=order_id,
        account_id=account_id,
        type=".".join(found.type.split(".")[1:3]),
        at=found.time,
        shipment_id=told.shipment_id,
        carrier=told.carrier or None,
        tracking_number=told.tracking_number or None,
        promised_on=told.promised_on,
        invoice_id=told.invoice_id,
        reason=told.reason or None,
    )


def shipment(found: customer_account.ShipmentSummary) -> Shipment:
    """A shipment in a list."""
    return Shipment(
        shipment_id=found.shipment_id,
        account_id=found.account_id,
        order_id=found.order_id,
        status=found.status,
        carrier=found.carrier,
        tracking_number=found.tracking_number,
        lines=_goods(found.lines),
        released_at=found.released_at,
        promised_on=found.promised_on,
    )


def shipment_detail(found: customer_account.ShipmentDetail) -> ShipmentDetail:
    """A shipment by itself, with its tracking."""
    return ShipmentDetail(
        shipment_id=found.shipment_id,
        account_id=found.account_id,
        order_id=found.order_id,
        status=found.status,
        carrier=found.carrier,
        tracking_number=found.tracking_number,
        lines=_goods(found.lines),
        ship_to=found.ship_to,
        released_at=found.released_at,
        promised_on=found.promised_on,
        events=tuple(
            TrackingEvent(at=event.at, status=event.status, location=event.location, note=event.note)
            for event in found.events
        ),
    )


def _goods(lines: tuple[customer_account.ShipmentLine, ...]) -> tuple[ShipmentLine, ...]:
    return tuple(ShipmentLine(sku=line.sku, quantity=line.quantity) for line in lines)


def invoice(found: customer_account.InvoiceSummary) -> Invoice:
    """An invoice in a list."""
    return Invoice(
        invoice_id=found.invoice_id,
        account_id=found.account_id,
        status=found.status,
        net=found.net,
        tax=found.tax,
        total=found.total,
        paid=found.paid,
        credited=found.credited,
        issued_at=found.issued_at,
        due_on=found.due_on,
    )


def invoice_detail(found: customer_account.InvoiceDetail) -> InvoiceDetail:
    """An invoice by itself."""
    return InvoiceDetail(
        invoice_id=found.invoice_id,
        account_id=found.account_id,
        reference=found.customer_reference,
        status=found.status,
        lines=tuple(
            InvoiceLine(
                line_no=line.line_no,
                sku=line.sku,
                quantity=line.quantity,
                net=line.net,
                tax_rate_bp=line.tax_rate_bp,
            )
            for line in found.lines
        ),
        net=found.net,
        tax=found.tax,
        total=found.total,
        paid=found.paid,
        credited=found.credited,
        issued_at=found.issued_at,
        due_on=found.due_on,
    )


def account(found: customer_account.Profile) -> Account:
    """The account of the caller."""
    terms = found.terms
    return Account(
        account_id=found.account_id,
        name=found.name,
        status=found.status,
        contact=found.sales_person,
        billing_address=found.billing_address,
        shipping_address=found.shipping_address,
        credit=None
        if terms is None
        else Credit(
            currency=terms.currency,
            payment_terms=terms.payment_terms,
            limit=terms.credit_limit,
            headroom=terms.headroom,
            on_hold=terms.on_hold,
        ),
    )
