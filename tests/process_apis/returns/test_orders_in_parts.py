"""Orders that leave in parts: a part that came back stops no other, and a cancel asks for what is not back already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from system_apis.canonical.entities import Payment
from system_apis.erp.documents import NewReturn, NewReturnLine
from system_apis.logistics.connectors.embedded.connector import Settings as LogisticsSettings
from system_apis.payments.port import PaymentFilter
from tests.process_apis.returns.orders_world import (
    ORDERS,
    WITH_ORDERS,
    ask_some_back,
    become,
    ordered,
    sent_back,
    stocked,
)
from tests.process_apis.returns.returns_world import BEARING, RETURNS, eur, seen
from tests.process_apis.world import World, running

NEVER = LogisticsSettings(pick_after_s=0, dispatch_after_s=3_600, deliver_after_s=3_600)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("cancelled"), "verify", WITH_ORDERS, NEVER) as world:
        yield world


def partly_sent(world: World, name: str) -> Any:
    """An order of five bearings of which three have left and are invoiced."""
    stocked(world, HAM=3, ROT=2)
    order = become(world, ordered(world, name), lambda one: len(one["shipments"]) == 2)
    [first] = [one["shipment_id"] for one in order["shipments"] if one["warehouse"] == "HAM"]
    world.run(world.logistics.dispatch_shipment(first, "ACME", f"sent-{name}"))
    return become(world, order, lambda one: len(one["invoice_ids"]) == 1)


def test_the_second_part_is_paid_though_all_money_of_the_first_went_back(world: World) -> None:
    order = partly_sent(world, "PO-first-back")
    goods = sent_back(world, order, 3)
    assert payment_of(world, order).status == "refunded"
    [rest] = [one["shipment_id"] for one in order["shipments"] if one["warehouse"] == "ROT"]
    world.run(world.logistics.dispatch_shipment(rest, "ACME", "sent-rest"))
    order = become(world, order, lambda one: one["status"] == "completed")
    payment = payment_of(world, order)
    assert (payment.captured, payment.refunded) == (payment.amount, eur(goods["credit"]["amount_minor"]))


def payment_of(world: World, order: Any) -> Payment:
    [(_, payment)] = world.run(world.payments.list_payments(PaymentFilter(order_reference=order["order_id"]), 0, 10))
    return payment


def cancelled(world: World, order: Any) -> Any:
    path = f"{ORDERS}/{order['order_id']}/cancel"
    answer = world.ask("acme", "POST", path, body={"account_id": "ACME"}, key=f"cancel-{order['order_id']}", wait_s=10)
    assert answer.status_code == 202, answer.text
    return become(world, order, lambda one: one["status"] == "cancelled")


def test_what_the_customer_sent_back_already_is_not_expected_again(world: World) -> None:
    order = partly_sent(world, "PO-one-left")
    sent_back(world, order, 1)
    ask_some_back(world, order, 1)
    order = cancelled(world, order)
    [return_id] = order["return_ids"]
    goods = seen(world, {"return_id": return_id}, "authorised")
    assert [(line["sku"], line["quantity"]) for line in goods["lines"]] == [(BEARING, 1)]
    found = world.get("platform", "/system/erp/v1/returns", sales_order_id=order["sales_order_id"])["items"]
    assert [sum(line["quantity"] for line in one["lines"]) for one in found] == [1, 1, 1]


def test_an_order_that_came_back_already_has_nothing_more_to_return(world: World) -> None:
    order = partly_sent(world, "PO-none-left")
    sent_back(world, order, 2)
    ask_some_back(world, order, 1)
    order = cancelled(world, order)
    assert order["return_ids"] == []
    known = world.get("acme", RETURNS, order_id=order["order_id"])["items"]
    assert {one["reason"] for one in known} == {"not_needed"}


def test_what_is_left_comes_back_when_the_customer_was_faster(world: World) -> None:
    order = partly_sent(world, "PO-race")
    create = world.erp.create_return
    told: list[str] = []

    async def late(goods: NewReturn, reference: str) -> Any:
        if not told:
            told.append(reference)
            line = NewReturnLine(sku=BEARING, warehouse="HAM", quantity=2)
            first = NewReturn(account_id="ACME", sales_order_id=order["sales_order_id"], lines=(line,))
            await create(first, "faster")
        return await create(goods, reference)

    world.erp.create_return = late  # type: ignore[method-assign]
    try:
        [return_id] = cancelled(world, order)["return_ids"]
        goods = seen(world, {"return_id": return_id}, "authorised")
    finally:
        world.erp.create_return = create  # type: ignore[method-assign]
    assert [line["quantity"] for line in goods["lines"]] == [1]
    assert (
        3 * goods["value"]["amount_minor"]
        == world.get("acme", f"{ORDERS}/{order['order_id']}")["total"]["amount_minor"]
    )
