"""Orders that are changed before they are released, and orders that are asked too late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from order_world import World, an_order, left_over, run
from test_approvals import HIGH, RULES, decided, waiting
from test_interruptions import Forward, around
from test_parts import NEVER_S, released, seen

from governance.contract import NotFound
from governance.contract.refusals import InvalidBody
from process_apis.order_to_fulfillment.v1.model import AmendedLine, Order, OrderAmendment
from system_apis.canonical.refusals import WrongState
from system_apis.canonical.values import Address, Money


async def amend(world: World, order: Order, account_id: str | None = None, **wished: Any) -> Order:
    """Amend an order, whatever its revision."""
    with world.calling(who="clerk"):
        wish = OrderAmendment(account_id=account_id or order.account_id, **wished)
        return await world.orders.amend_order(order.order_id, wish)


def quantity(number: int, line_no: int = 1) -> tuple[AmendedLine, ...]:
    return (AmendedLine(line_no=line_no, quantity=number),)


def held_at(name: str) -> tuple[Callable[[Any], Any], asyncio.Event, asyncio.Event]:
    """A rule that holds the first call of an operation; set when it has come, and let go when it is told to."""
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def rule(called: str, forward: Forward) -> Any:
        if called == name:
            reached.set()
            await go_on.wait()
        return await forward()

    return around(rule), reached, go_on


@pytest.mark.parametrize("at", ["get_account", "price", "reserve_stock", "authorize", "post_sales_order"])
def test_before_the_release_an_order_begins_anew_as_it_is_wished(tmp_path: Path, at: str) -> None:
    async def scenario() -> None:
        wrap, reached, go_on = held_at(at)
        there = Address(name="Goods in", street="Kai 2", city="Bremen", country="DE")
        async with World(tmp_path, wrap=wrap) as world:
            wanted = an_order("PIXELFAB", ("BRG-6204", 2), ("BRG-6000", 1), card_token="card_ok")
            order = await world.place("k", wanted, wait_s=0)
            await asyncio.wait_for(reached.wait(), 30)
            with world.calling():
                order = await world.orders.get_order(order.order_id)
            asked = asyncio.create_task(
                amend(world, order, lines=(*quantity(5), *quantity(0, 2)), ship_to=there, requested_on=date(2031, 5, 5))
            )
            await asyncio.sleep(0.05)
            go_on.set()
            assert (await asked).amendments == 1
            done = await seen(world, order.order_id, lambda one: one.status == "completed")
            assert [(line.line_no, line.sku, line.quantity) for line in done.lines] == [(1, "BRG-6204", 5)]
            assert (done.ship_to, done.requested_on, done.total) == (there, date(2031, 5, 5), Money(2826, "EUR"))
            ledger = await world.erp.ledger()
            live = [one for one in ledger.orders if one.status != "cancelled"]
            assert [(one.invoices, one.total_minor) for one in live] == [(1, 2826)]
            assert {one.status for one in ledger.reservations} <= {"released", "consumed"}
            assert ledger.discrepancies == ()
            money = [one for one in await world.payments.ledger() if one.status != "voided"]
            assert [(one.status, one.captured_minor) for one in money] == [("captured", 2826)]
            assert len([one for one in await world.logistics.ledger() if one.status != "cancelled"]) == 1

    run(scenario())


def test_once_it_is_released_or_has_ended_an_order_stays_as_it_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path, dispatch_s=NEVER_S) as world:
            order = await released(world, "k", an_order("ACME", ("BRG-6204", 1)), 1)
            for one in (order, await world.place("r", an_order("HOLDFAST", ("BRG-6204", 1)))):
                with pytest.raises(WrongState) as refused:
                    await amend(world, one, lines=quantity(2))
                assert refused.value.needs == "accepted, allocated or confirmed"

    run(scenario())


def test_an_amended_order_is_approved_anew(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path, rules=RULES) as world:
            order = await waiting(world)
            await amend(world, order, lines=quantity(25))
            again = await seen(
                world, order.order_id, lambda one: one.stage == "awaiting_approval" and one.amendments == 1
            )
            assert again.approval is not None and again.approval.status == "waiting"
            await decided(world, again, "approve")
            done = await seen(world, order.order_id, lambda one: one.status == "completed")
            assert done.lines[0].quantity == 25 != HIGH.lines[0].quantity

    run(scenario())


def test_wishes_that_can_not_be(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path, rules=RULES) as world:
            order = await waiting(world)
            with pytest.raises(InvalidBody):
                await amend(world, order, lines=quantity(1, line_no=7))
            with pytest.raises(InvalidBody):
                await amend(world, order, lines=quantity(0))
            with pytest.raises(NotFound):
                await amend(world, order, account_id="LIONET", lines=quantity(1))
            with pytest.raises(ValueError, match="say what"):
                OrderAmendment(account_id="ACME")

    run(scenario())


def test_an_amendment_and_the_release_never_both_win(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path) as world:
            for number in range(12):
                order = await world.place(f"k{number}", an_order("ACME", ("BRG-6204", 1)), wait_s=0)
                await asyncio.sleep(number * 0.004)
                try:
                    await amend(world, order, lines=quantity(2))
                    wanted = 2
                except WrongState:
                    wanted = 1
                done = await seen(world, order.order_id, lambda one: one.status == "completed")
                sent = [one for one in await world.logistics.ledger() if one.order_reference == order.order_id]
                assert [one.status for one in sent if one.status != "cancelled"] == ["dispatched"]
                assert done.lines[0].quantity == done.allocations[0].quantity == wanted
            assert (await world.erp.ledger()).discrepancies == ()
            assert await left_over(world, await world.place("end", an_order("HOLDFAST", ("BRG-6204", 1)))) == []

    run(scenario())
