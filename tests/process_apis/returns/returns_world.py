"""Orders that have shipped, and the returns of them over HTTP, on the embedded systems."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from governance.call import SystemClock, child_key
from process_apis.events.tables import events
from process_apis.returns.v1.service import Returns
from system_apis.canonical.entities import ShipmentLine
from system_apis.canonical.values import Address, Money, UnitPrice
from system_apis.crm.v1.service import Crm
from system_apis.erp.documents import InvoicePayment, NewInvoice, NewSalesOrder, NewSalesOrderLine
from system_apis.erp.v1.service import Erp
from system_apis.logistics.port import ShipmentRequest
from system_apis.logistics.v1.service import Logistics
from system_apis.notifications.messages import Message
from system_apis.notifications.port import MessageFilter
from system_apis.notifications.v1.service import Notifications
from system_apis.payments.port import PaymentRequest
from system_apis.payments.v1.service import Payments
from tests.process_apis.world import World

SERVICES: Sequence[type[Any]] = (Erp, Crm, Logistics, Payments, Notifications, Returns)
SHIP_TO = Address(name="Goods in", street="Kai 1", city="Hamburg", country="DE")
BEARING, SEAL = "BRG-6204", "SEA-25x47"
PRICE = 1_000
"""What a piece costs, in cents, before 19 % tax."""
RETURNS = "/process/returns/v1/returns"
_numbers = count(1)


def eur(amount_minor: int) -> Money:
    return Money(amount_minor, "EUR")


class Ahead(SystemClock):
    """A clock that can be put forward; it goes on from there."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


class Sold:
    """An order of ACME that has left the warehouse: ten bearings and four seals at ten euro each."""

    def __init__(self, order_id: str, sales_order_id: str, payment_id: str | None) -> None:
        self.order_id = order_id
        self.sales_order_id = sales_order_id
        self.payment_id = payment_id

    def wish(self, *lines: tuple[str, int], reason: str = "not_needed", **rest: Any) -> dict[str, Any]:
        """The body that asks for these products to be sent back."""
        return {
            "account_id": "ACME",
            "order_id": self.order_id,
            "sales_order_id": self.sales_order_id,
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
            "reason": reason,
            **rest,
        }


def sell(
    world: World,
    *,
    card: bool = False,
    invoiced: bool = True,
    bearings: int = 10,
    shipped: Mapping[str, int] = MappingProxyType({BEARING: 10, SEAL: 4}),
    revision: int = 0,
) -> Sold:
    """Sell and ship to ACME, as the process of an order does that was amended ``revision`` times."""
    number = next(_numbers)
    order_id = f"ord-{number}"

    async def sold() -> Sold:
        reference = child_key(order_id, "erp.v1.post_sales_order", "post_order", revision)
        order = await world.erp.post_sales_order(_order(number, bearings, card=card), reference)
        if shipped:
            await world.logistics.release_shipment(_shipment(order_id, shipped), f"shp-{number}")
        payment_id = None
        if card:
            wanted = PaymentRequest(
                account_id="ACME", order_reference=order_id, amount=order.total, card_token="card_ok"
            )
            payment_id = (await world.payments.authorize(wanted, f"pay-{number}")).payment_id
        sale = Sold(order_id, order.sales_order_id, payment_id)
        if invoiced:
            await bill(world, sale, number)
        return sale

    return world.run(sold())


def _order(number: int, bearings: int, *, card: bool) -> NewSalesOrder:
    lines = tuple(
        NewSalesOrderLine(sku=sku, quantity=n, unit_price=UnitPrice(eur(PRICE)), net=eur(n * PRICE), tax_rate_bp=1_900)
        for sku, n in ((BEARING, bearings), (SEAL, 4))
    )
    return NewSalesOrder(
        account_id="ACME", customer_reference=f"PO-{number}", currency="EUR", ship_to=SHIP_TO, prepaid=card, lines=lines
    )


def _shipment(order_id: str, goods: Mapping[str, int]) -> ShipmentRequest:
    return ShipmentRequest(
        account_id="ACME",
        order_reference=order_id,
        warehouse="HAM",
        lines=tuple(ShipmentLine(sku=sku, quantity=n) for sku, n in goods.items()),
        ship_to=SHIP_TO,
    )


async def bill(world: World, sale: Sold, number: int = 0) -> None:
    """Post the order's invoice, and take the money where there is a card."""
    request = NewInvoice(account_id="ACME", sales_order_id=sale.sales_order_id)
    invoice = await world.erp.post_invoice(request, f"inv-{number}-{sale.order_id}")
    if sale.payment_id:
        await world.payments.capture(sale.payment_id, "ACME", invoice.total, f"cap-{sale.order_id}")
        paid = InvoicePayment(account_id="ACME", amount=invoice.total)
        await world.erp.pay_invoice(invoice.invoice_id, paid, f"paid-{sale.order_id}")


def ask_back(world: World, body: dict[str, Any], key: str = "", who: str = "acme", wait_s: int = 8) -> Any:
    """A return that was asked for, once it was looked at."""
    answer = world.ask(who, "POST", RETURNS, body=body, key=key or f"wish-{next(_numbers)}", wait_s=wait_s)
    assert answer.status_code == 202, answer.text
    return answer.json()


def say(
    world: World,
    return_id: str,
    what: str,
    body: dict[str, Any],
    *,
    key: str = "",
    wait_s: int = 8,
    who: str = "platform",
) -> Any:
    """The answer to something that the company says about a return."""
    body = {"account_id": "ACME", **body}
    path = f"{RETURNS}/{return_id}/{what}"
    return world.ask(who, "POST", path, body=body, key=key or f"{what}-{return_id}", wait_s=wait_s)


def said(world: World, return_id: str, what: str, body: dict[str, Any], **rest: Any) -> Any:
    """The return after something was said that it takes."""
    answer = say(world, return_id, what, body, **rest)
    assert answer.status_code == 202, answer.text
    return answer.json()


def came(*lines: tuple[str, int], **rest: Any) -> dict[str, Any]:
    """The body of a receipt."""
    return {"lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines], **rest}


def on_hand(world: World, sku: str) -> int:
    """Units of a product over all warehouses."""
    return sum(one.on_hand for one in world.run(world.erp.get_availability(sku)).positions)


def letters(world: World, number: str) -> list[Message]:
    """What was written to people about a return of this number, oldest first."""
    found = world.run(world.notifications.list_messages(MessageFilter(), 0, 1_000))
    return [message for _, message in found if number in message.subject]


def letter(world: World, number: str, template: str) -> Message:
    """The one letter about a return that was written from this template."""
    deadline = time.monotonic() + 40
    while True:
        found = [one for one in letters(world, number) if one.template == template]
        if found or time.monotonic() > deadline:
            (one,) = found
            return one
        world.run(asyncio.sleep(0.02))


def seen(world: World, goods: Any, *statuses: str) -> Any:
    """The return once it has one of these statuses."""
    deadline = time.monotonic() + 40
    while True:
        found = world.get("acme", f"{RETURNS}/{goods['return_id']}")
        if found["status"] in statuses or time.monotonic() > deadline:
            assert found["status"] in statuses, found
            return found
        world.run(asyncio.sleep(0.02))


def events_of(world: World, subject: str) -> list[str]:
    """The types of what was told about returns of an order, in order."""
    of_it = (events.c.subject == subject, events.c.type.like("return.%"))
    query = sa.select(events.c.type).where(*of_it).order_by(events.c.sequence)
    return world.run(world.flows.read(lambda connection: list(connection.execute(query).scalars())))
