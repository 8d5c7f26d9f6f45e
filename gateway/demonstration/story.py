"""One order from price to invoice, told as it happens."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from rich.console import Console

from gateway.cli.failure import Failure
from gateway.demonstration.telling import Telling, amount
from gateway.demonstration.visit import Exchange, Visit

PORTAL = "/experience/portal/v1"
SKU = "BRG-6204"
QUANTITY = 2
FOLLOW_FOR_S = 60.0
LOOK_EVERY_S = 0.05
SETTLED = frozenset({"completed", "rejected", "cancelled", "on_hold"})


def tell_one_order(visit: Visit, console: Console) -> None:
    """Price, order, the same order again, its way to the invoice, its timeline.

    Raises:
        Failure: the gateway answered otherwise than it should.
    """
    tell = Telling(console)
    _price(visit, tell)
    placed = _place(visit, tell)
    order = _follow(visit, tell, placed)
    _invoice(visit, tell, order)
    tell.chapter("The order's timeline")
    timeline = visit.get(f"{PORTAL}/orders/{order['order_id']}/timeline")
    tell.timeline(timeline.body["entries"])


def _price(visit: Visit, tell: Telling) -> None:
    tell.chapter("The price of the account, and live stock")
    shown = visit.get(f"{PORTAL}/products/{SKU}?quantity={QUANTITY}")
    tell.exchange(shown)
    product = shown.body
    tell.say(
        f"{product['name']}: {QUANTITY} for {amount(product['price']['net'])}, {product['available']:,} available."
    )


def _place(visit: Visit, tell: Telling) -> Exchange:
    tell.chapter("The order, placed once")
    body = {"reference": "PO-1001", "lines": [{"sku": SKU, "quantity": QUANTITY}], "repeat": True}
    key = f"demo-{uuid4()}"
    placed = visit.post(f"{PORTAL}/orders", body, key, expect=202)
    tell.exchange(placed)
    tell.say(f"Order {placed.body['order_id']} is {placed.body['status']}: from here on it survives a crash.")

    tell.chapter("The same request again, as after a lost answer")
    again = visit.post(f"{PORTAL}/orders", body, key, expect=202)
    tell.exchange(again)
    if placed.body["order_id"] != again.body["order_id"]:
        raise Failure("The same Idempotency-Key made a second order.")
    tell.say("The same Idempotency-Key gives the same order; nothing was done twice.")
    return placed


def _follow(visit: Visit, tell: Telling, placed: Exchange) -> dict[str, Any]:
    tell.chapter("The order's way through the systems")
    order: dict[str, Any] = placed.body
    seen = ""
    began = time.monotonic()
    while True:
        if order["status"] != seen:
            seen = order["status"]
            tell.say(f"{time.monotonic() - began:5.2f} s  {seen}")
        if seen in SETTLED:
            break
        if time.monotonic() - began > FOLLOW_FOR_S:
            raise Failure(f"The order did not settle within {FOLLOW_FOR_S:.0f} s; it is {seen}.")
        time.sleep(LOOK_EVERY_S)
        order = visit.get(f"{PORTAL}/orders/{order['order_id']}").body
    told = {hop.operation for hop in placed.hops}
    tell.hops(hop for hop in visit.hops(placed.request_id) if hop.operation not in told)
    return order


def _invoice(visit: Visit, tell: Telling, order: dict[str, Any]) -> None:
    tell.chapter("The invoice")
    if not order["invoice_ids"]:
        raise Failure(f"There is no invoice: the order is {order['status']} ({order['reason']}).")
    shown = visit.get(f"{PORTAL}/invoices/{order['invoice_ids'][0]}")
    tell.exchange(shown)
    invoice = shown.body
    tell.say(
        f"Invoice {invoice['invoice_id']}: {amount(invoice['net'])} net, {amount(invoice['tax'])} tax, "
        f"{amount(invoice['total'])} due on {invoice['due_on']}."
    )
