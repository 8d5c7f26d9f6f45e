"""What an order is to the systems of record: questions about it, and the documents made of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec.structs import replace

from process_apis.order_to_fulfillment.record import Line, OrderRecord, Part, PartLine
from system_apis.canonical.entities import ShipmentLine
from system_apis.canonical.values import Address, Money
from system_apis.erp.v1.model import NewSalesOrderLine, PricedLine
from system_apis.logistics.v1.model import NewShipment
from system_apis.notifications.v1.model import MessageLine


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
    return order.channel_order_id is not None  # also where a cancel came before anybody looked at it


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


def reserving_step(turn: int) -> str:
    """The step, or the part of one, that makes the order's reservation number ``turn``; keys are made from it."""
    return "reserve_stock" if turn == 1 else f"reserve_stock:{turn}"


def shipping_step(warehouse: str, turn: int = 1) -> str:
    """The part of the shipping step that is about one warehouse; keys are made from it."""
    return f"ship:{warehouse}" if turn == 1 else f"ship:{warehouse}:{turn}"


def priced_line(line: Line, found: PricedLine) -> Line:
    """The line with the price that the ERP gave."""
    return replace(
        line,
        unit_price=found.unit_price,
        discount_bp=found.discount_bp,
        net=found.net,
        tax_rate_bp=found.tax_rate_bp,
        category=found.category,
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


def shipment_from(order: OrderRecord, part: Part) -> NewShipment:
    """What one warehouse has to send."""
    quantities: dict[str, int] = {}
    for line in part.lines:
        quantities[line.sku] = quantities.get(line.sku, 0) + line.quantity
    return NewShipment(
        account_id=order.account_id,
        order_reference=order.order_id,
        warehouse=part.warehouse,
        lines=tuple(ShipmentLine(sku=sku, quantity=quantity) for sku, quantity in quantities.items()),
        ship_to=address_of(order),
        promised_on=order.requested_on,
    )


def message_lines(lines: Iterable[PartLine], expected_on: date | None = None) -> tuple[MessageLine, ...]:
    """Lines as the customer reads them."""
    return tuple(MessageLine(sku=line.sku, quantity=line.quantity, expected_on=expected_on) for line in lines)
