"""Orders that go all the way by their own process, and returns of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from process_apis.order_to_fulfillment.v1.service import OrderToFulfillment
from system_apis.commerce.v1.service import Commerce
from system_apis.erp.documents import StockLevel
from tests.process_apis.returns.returns_world import BEARING, SERVICES, ask_back, came, said, seen
from tests.process_apis.world import World

WITH_ORDERS: Sequence[type[Any]] = (*SERVICES, OrderToFulfillment, Commerce)
ORDERS = "/process/order-to-fulfillment/v1/orders"
PLACES = ("HAM", "ROT", "POZ", "CLE-3PL")
UNITS = 5


def stocked(world: World, **on_hand: int) -> None:
    """Put so many bearings into these warehouses and none into the others."""
    for place in PLACES:
        level = StockLevel(on_hand=on_hand.get(place, 0), third_party="3PL" in place)
        world.run(world.erp.put_stock(place, BEARING, level))


def ordered(world: World, name: str) -> Any:
    """An order of bearings, paid by card, once it was accepted."""
    lines = [{"sku": BEARING, "quantity": UNITS}]
    body = {"account_id": "ACME", "reference": name, "channel": "portal", "lines": lines, "payment": "card"}
    answer = world.ask("acme", "POST", ORDERS, body={**body, "card_token": "card_ok"}, key=name)
    assert answer.status_code == 202, answer.text
    return answer.json()


def become(world: World, order: Any, good: Callable[[Any], object]) -> Any:
    """The order once it is as wanted."""
    deadline = time.monotonic() + 20
    while not good(found := world.get("acme", f"{ORDERS}/{order['order_id']}")):
        assert time.monotonic() < deadline, found
        world.run(asyncio.sleep(0.02))
    return found


def ask_some_back(world: World, order: Any, units: int) -> Any:
    """The return of so many units, once it was looked at."""
    body = {
        "account_id": "ACME", "order_id": order["order_id"], "sales_order_id": order["sales_order_id"],
        "lines": [{"sku": BEARING, "quantity": units}], "reason": "not_needed",
    }  # fmt: skip
    goods = ask_back(world, body)
    assert goods["status"] == "authorised", goods
    return goods


def sent_back(world: World, order: Any, units: int) -> Any:
    """So many units are returned and credited."""
    goods = ask_some_back(world, order, units)
    said(world, goods["return_id"], "receive", came((BEARING, units)))
    said(world, goods["return_id"], "inspect", {"lines": [{"sku": BEARING, "restocked": units}]})
    return seen(world, goods, "closed")
