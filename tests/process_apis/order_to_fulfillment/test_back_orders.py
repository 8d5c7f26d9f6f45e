"""Goods that are short: orders wait for them, whole or in part, and not for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from order_world import World, an_order, left_over, run
from test_duplicates import Shifted
from test_interruptions import Forward, around, status_of
from test_parts import cancelled, levels, seen

from governance.contract.refusals import SystemUnavailable
from process_apis.events.kind import happened
from process_apis.events.outbox import append
from process_apis.events.taxonomy.stock import StockChanged
from process_apis.flow.tables import exceptions, signals
from process_apis.order_to_fulfillment.settings import OrderSettings
from process_apis.order_to_fulfillment.stock_watch import StockWatch
from process_apis.order_to_fulfillment.v1.model import Order
from system_apis.notifications.port import MessageFilter

RULES = OrderSettings(stock_look_s=60)


async def waits(world: World, key: str, **more: Any) -> Order:
    """A new order of five bearings once it waits for goods."""
    order = await world.place(key, an_order("ACME", ("BRG-6000", 5), ("BRG-6204", 1), **more), wait_s=0)
    return await seen(world, order.order_id, lambda one: one.stage == "back_ordered")


async def told(world: World, order: Order) -> tuple[list[str], int]:
    """What sales was told of an order, and how many letters of a back-order the customer has."""
    kinds = [one.kind for one in await world.crm.ledger() if one.subject_id == order.order_id]
    letters = await world.notifications.list_messages(MessageFilter(template="order_backordered"), 0, 10)
    return kinds, len(letters)


async def open_queues(world: World) -> list[str]:
    query = sa.select(exceptions.c.queue).where(exceptions.c.status == "open")
    return list(await world.flows.read(lambda connection: connection.execute(query).scalars().all()))


def test_an_order_that_ships_complete_waits_for_all_of_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = Shifted()
        async with World(tmp_path, clock=clock, rules=RULES) as world:
            await levels(world, "BRG-6000", HAM=4)
            order = await waits(world, "k", shortage="ship_complete")
            assert (order.status, order.allocations) == ("accepted", ())
            line = order.lines[0]
            assert (line.status, line.back_ordered) == ("back_ordered", 5)
            assert line.expected_on == clock.now().date() + timedelta(days=10)
            assert await told(world, order) == (["order_backordered"], 1)
            clock.ahead = timedelta(seconds=61)  # it looks again, and there is still too little
            await levels(world, "BRG-6000", HAM=4, ROT=1)
            clock.ahead = timedelta(seconds=122)
            done = await status_of(world, order.order_id, "completed")
            assert {one.warehouse: one.quantity for one in done.allocations if one.sku == "BRG-6000"} == {
                "HAM": 4, "ROT": 1,
            }  # fmt: skip
            assert done.lines[0].back_ordered == 0
            assert await told(world, done) == (["order_backordered", "order_completed"], 1)

    run(scenario())


def test_an_order_that_ships_in_part_sends_the_rest_when_it_comes(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = Shifted()
        async with World(tmp_path, clock=clock, rules=RULES) as world:
            await levels(world, "BRG-6000", HAM=2)
            order = await waits(world, "k", shortage="ship_partial")
            assert (order.status, len(order.invoice_ids)) == ("confirmed", 1)
            assert (order.lines[0].shipped, order.lines[0].back_ordered, order.lines[0].status) == (
                2,
                3,
                "partly_shipped",
            )
            await levels(world, "BRG-6000", ROT=7)
            clock.ahead = timedelta(seconds=61)
            done = await status_of(world, order.order_id, "completed")
            assert (len(done.shipments), len(done.invoice_ids)) == (2, 2)
            assert [line.status for line in done.lines] == ["shipped", "shipped"]
            ledger = await world.erp.ledger()
            assert done.total is not None
            assert [(one.status, one.invoices, one.invoiced_minor) for one in ledger.orders] == [
                ("invoiced", 2, done.total.amount_minor)
            ]
            assert {one.status for one in ledger.reservations} == {"consumed"}
            assert ledger.discrepancies == ()

    run(scenario())


def test_what_does_not_come_in_time_is_given_up(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = Shifted()
        async with World(tmp_path, clock=clock, rules=RULES) as world:
            await levels(world, "BRG-6000", HAM=2)
            partly = await waits(world, "p", shortage="ship_partial")
            wholly = await waits(world, "w", shortage="ship_complete", reference="PO-2")
            clock.ahead = timedelta(days=30, seconds=1)
            done = await status_of(world, partly.order_id, "completed")
            assert (done.lines[0].shipped, done.lines[0].cancelled, done.return_ids) == (2, 3, ())
            invoice = await world.erp.get_invoice(done.invoice_ids[0])
            assert done.total == invoice.total
            kinds, _ = await told(world, done)
            assert sorted(kinds) == ["order_backordered", "order_completed", "order_cut_short"]
            rejected = await status_of(world, wholly.order_id, "rejected")
            assert rejected.problem == "insufficient-stock"
            assert await left_over(world, rejected) == []

    run(scenario())


@pytest.mark.parametrize("shortage", ["ship_complete", "ship_partial"])
def test_people_decide_where_the_channel_says_so(tmp_path: Path, shortage: str) -> None:
    async def scenario() -> None:
        clock = Shifted()
        async with World(tmp_path, clock=clock, rules=RULES) as world:
            await levels(world, "BRG-6000", HAM=2)
            order = await waits(world, "k", shortage=shortage, channel="partner", reference="PO-77")
            clock.ahead = timedelta(days=60, seconds=1)
            held = await status_of(world, order.order_id, "on_hold")
            assert held.problem == "insufficient-stock"
            assert await open_queues(world) == ["stock"]

    run(scenario())


def test_an_order_that_waits_for_goods_is_cancelled(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path, rules=RULES) as world:
            await levels(world, "BRG-6000", HAM=2)
            wholly = await waits(world, "w", shortage="ship_complete", reference="PO-2")
            assert (await cancelled(world, wholly)).status == "cancelled"
            partly = await waits(world, "p", shortage="ship_partial")
            stopped = await cancelled(world, partly)
            assert (stopped.status, len(stopped.return_ids)) == ("cancelled", 1)
            assert (stopped.lines[0].shipped, stopped.lines[0].cancelled) == (2, 3)
            async with asyncio.timeout(30):
                while [one for one in (await world.erp.ledger()).orders if one.status == "posted"]:
                    await asyncio.sleep(0.01)
            assert (await world.erp.ledger()).discrepancies == ()

    run(scenario())


@pytest.mark.parametrize("lost", ["reserve_stock", "release_shipment"])
def test_a_cancel_finds_what_was_begun_for_goods_that_came_in(tmp_path: Path, lost: str) -> None:
    away, begun = False, asyncio.Event()

    async def rule(name: str, forward: Forward) -> Any:
        answer = await forward()
        if name == lost and away:
            begun.set()
            raise SystemUnavailable(detail="the answer was lost")
        return answer

    async def scenario() -> None:
        nonlocal away
        clock = Shifted()
        async with World(tmp_path, clock=clock, rules=RULES, wrap=around(rule)) as world:
            await levels(world, "BRG-6000", HAM=2)
            order = await waits(world, "k", shortage="ship_partial")
            away = True
            await levels(world, "BRG-6000", ROT=7)
            clock.ahead = timedelta(seconds=61)
            await asyncio.wait_for(begun.wait(), 30)
            asked = asyncio.create_task(cancelled(world, order))
            while not await world.flows.read(lambda connection: connection.execute(sa.select(signals.c.name)).first()):
                await asyncio.sleep(0.01)
            away = False
            await asked
            stopped = await status_of(world, order.order_id, "cancelled")
            sent = [one for one in await world.logistics.ledger() if one.status != "cancelled"]
            assert len(sent) == len(stopped.invoice_ids)  # nothing leaves that is not billed
            ledger = await world.erp.ledger()
            assert [one.reference for one in ledger.reservations if one.status == "held"] == []
            assert ledger.discrepancies == ()

    run(scenario())


@pytest.mark.parametrize("shortage", ["ship_complete", "ship_partial"])
def test_an_order_hears_of_stock_that_comes_in(tmp_path: Path, shortage: str) -> None:
    async def scenario() -> None:
        async with World(tmp_path, rules=OrderSettings(stock_look_s=3_600)) as world:
            await levels(world, "BRG-6000", HAM=2)
            order = await waits(world, "k", shortage=shortage)
            watch = StockWatch(world.flows)
            await watch.look()
            await levels(world, "BRG-6000", ROT=5)
            came = StockChanged(sku="BRG-6000", warehouse="ROT", available=5)
            event = happened(came, subject="BRG-6000", account_id=None)
            await world.flows.write(lambda connection: append(connection, [event], world.clock.now()))
            await watch.look()
            done = await status_of(world, order.order_id, "completed")
            assert sum(line.quantity for one in done.shipments for line in one.lines) == 6

    run(scenario())


def test_an_order_does_not_hear_of_other_stock(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path, rules=OrderSettings(stock_look_s=3_600)) as world:
            await levels(world, "BRG-6000", HAM=2)
            order = await waits(world, "k", shortage="ship_complete")
            watch = StockWatch(world.flows)
            await watch.look()
            others = [
                StockChanged(sku="BRG-6201", warehouse="ROT", available=5),
                StockChanged(sku="BRG-6000", warehouse="ROT", available=0),
            ]
            events = [happened(one, subject=one.sku, account_id=None) for one in others]
            await world.flows.write(lambda connection: append(connection, events, world.clock.now()))
            await watch.look()
            query = sa.select(sa.func.count()).select_from(signals).where(signals.c.flow_id == order.order_id)
            assert await world.flows.read(lambda connection: connection.execute(query).scalar()) == 0

    run(scenario())
