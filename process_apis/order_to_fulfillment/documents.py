"""What an order is to the systems of record: questions about it, and the documents made of it."""

from __future__ import annotations

from msgspec.structs import replace

from process_apis.order_to_fulfillment.record import Line, OrderRecord
from system_apis.canonical.entities import ShipmentLine
from system_apis.canonical.values import Address, Money
from system_apis.erp.v1.model import NewSalesOrderLine, PricedLine
from system_apis.logistics.v1.model import NewShipment


def pays_by_card(order: OrderRecord) -> bool:
    """Whether there is an amount to take from a card."""
    return order.payment == "card" and order.total is not None and order.total.amount_minor > 0


def is_paid(order: OrderRecord) -> bool:
    """Whether an invoice of it is paid at once: by card, or by the channel that has the money."""
    return pays_by_card(order) or (order.payment == "prepaid" and total_of(order).amount_minor > 0)


def owes(order: OrderRecord) -> bool:
    """Whether the account pays later, on its credit."""
    return order.payment == "on_account"


def came_by_channel(order: OrderRecord) -> bool:
    """Whether it says that it came by a channel."""
    return order.channel_order_id is not None


def channel_waits(order: OrderRecord) -> bool:
    """Whether a channel waits to hear of it."""
    return order.channel_waits


def total_of(order: OrderRecord) -> Money:
    """What the order comes to. Raises ``ValueError`` before it is priced."""
    if order.total is None:
        raise ValueError(f"order {order.order_id} has no price")
    return order.total


def address_of(order: OrderRecord) -> Address:
    """Where it goes. Raises ``ValueError`` before the account was asked."""
    if order.ship_to is None:
        raise ValueError(f"order {order.order_id} has no address")
    return order.ship_to


def shipping_step(warehouse: str) -> str:
    """The part of the shipping step that is about one warehouse; keys are made from it."""
    return f"ship:{warehouse}"


def priced_line(line: Line, found: PricedLine) -> Line:
    """The line with the price that the ERP gave."""
    return replace(
        line,
        unit_price=found.unit_price,
        discount_bp=found.discount_bp,
        net=found.net,
        tax_rate_bp=found.tax_rate_bp,
    )


def sold_line(line: Line) -> NewSalesOrderLine:
    """The line as the ERP posts it. Raises ``ValueError`` before it is priced."""
    if line.unit_price is None or line.net is None:
        raise ValueError(f"line {line.line_no} has no price")
    return NewSalesOrderLine(
        sku=line.sku,
        quantity=line.quantity,
        unit_price=line.unit_price,
        net=line.net,
        discount_bp=line.discount_bp,
        tax_rate_bp=line.tax_rate_bp,
    )


def shipment_from(order: OrderRecord, warehouse: str) -> NewShipment:
    """What one warehouse has to send."""
    return NewShipment(
        account_id=order.account_id,
        order_reference=order.order_id,
        warehouse=warehouse,
        lines=tuple(
            ShipmentLine(sku=taken.sku, quantity=taken.quantity)
            for taken in order.taken
            if taken.warehouse == warehouse
        ),
        ship_to=address_of(order),
        promised_on=order.requested_on,
    )
