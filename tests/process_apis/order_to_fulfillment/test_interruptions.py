"""Orders that are cancelled, held up, or answered by systems that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from order_world import World, an_order, left_over, run

from governance.contract.refusals import SystemUnavailable
from process_apis.flow import FlowSettings
from process_apis.flow.tables import flows
from process_apis.order_to_fulfillment.v1.model import Order, OrderCancellation
from system_apis.canonical.refusals import WrongState

Forward = Callable[..., Awaitable[Any]]


class Around:
    """A port whose calls go through ``rule(name, forward)``; an injected fault, not a stand-in."""

    def __init__(self, port: Any, rule: Callable[[str, Forward], Awaitable[Any]]) -> None:
        self._port = port
        self._rule = rule

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self._rule(name, lambda: method(*args, **kwargs))

        return call


def around(rule: Callable[[str, Forward], Awaitable[Any]]) -> Callable[[Any], Any]:
    return lambda port: Around(port, rule)


async def status_of(world: World, order_id: str, *wanted: str) -> Order:
    """The order once it has one of the wanted statuses."""
    async with asyncio.timeout(30):
        while True:
            with world.calling():
                order = await world.orders.get_order(order_id)
            if order.status in wanted:
                return order
            await asyncio.sleep(0.01)


def test_a_cancel_before_the_pivot_undoes_everything(tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def rule(name: str, forward: Forward) -> Any:
        if name == "authorize":
            begun.set()
            await go_on.wait()
        return await forward()

    async def scenario() -> None:
        async with World(tmp_path, wrap=around(rule)) as world:
            order = await world.place("k", an_order("PIXELFAB", ("BRG-6204", 1), card_token="card_ok"), wait_s=0)
            await asyncio.wait_for(begun.wait(), 30)

            async def cancel() -> Order:
                with world.calling("c"):
                    wish = OrderCancellation(account_id="PIXELFAB", reason="ordered twice")
                    return await world.orders.cancel_order(order.order_id, wish)

            asked = asyncio.create_task(cancel())
            await asyncio.sleep(0.1)
            go_on.set()
            cancelled = await asked
            assert (cancelled.status, cancelled.reason, cancelled.problem) == ("cancelled", "ordered twice", None)
            assert await left_over(world, cancelled) == []
            with world.calling():
                entries = (await world.orders.get_timeline(order.order_id)).entries
            assert [entry.step for entry in entries[-3:]] == [
                "undo:authorise_payment",
                "undo:reserve_stock",
                "cancelled",
            ]
            assert [entry.outcome for entry in entries[-3:]] == ["undone", "undone", "cancelled"]
            assert (await cancel()).status == "cancelled"

    run(scenario())


async def shipment_released(world: World, order_id: str) -> str:
    async with asyncio.timeout(30):
        while True:
            with world.calling():
                order = await world.orders.get_order(order_id)
            if order.shipment_ids:
                return order.shipment_ids[0]
            await asyncio.sleep(0.01)


def test_every_call_may_fail_before_it_is_done_and_after(tmp_path: Path) -> None:
    tries: dict[str, int] = {}

    async def rule(name: str, forward: Forward) -> Any:
        tries[name] = tries.get(name, 0) + 1
        if tries[name] == 1:
            raise SystemUnavailable(detail="away")
        answer = await forward()
        if tries[name] == 2:
            raise SystemUnavailable(detail="the answer was lost")
        return answer

    async def scenario() -> None:
        async with World(tmp_path, wrap=around(rule)) as world:
            placed = an_order("PIXELFAB", ("BRG-6204", 2), card_token="card_ok")
            order = await world.place("k", placed, wait_s=20)
            assert order.status == "completed"
            ledger = await world.erp.ledger()
            assert [(one.status, one.invoices) for one in ledger.orders] == [("invoiced", 1)]
            assert [one.status for one in ledger.reservations] == ["consumed"]
            assert ledger.discrepancies == ()
            assert [one.status for one in await world.payments.ledger()] == ["captured"]
            assert [one.status for one in await world.logistics.ledger()] == ["dispatched"]
            assert [one.count for one in await world.crm.ledger() if one.subject_id == order.order_id] == [1]
            with world.calling():
                entries = (await world.orders.get_timeline(order.order_id)).entries
            assert [entry.outcome for entry in entries if entry.operation == "post_sales_order"] == ["failed", "done"]

    run(scenario())


def test_an_undo_goes_on_through_an_outage(tmp_path: Path) -> None:
    tries = 0

    async def rule(name: str, forward: Forward) -> Any:
        nonlocal tries
        if name == "release_reservation":
            tries += 1
            if tries < 4:
                raise SystemUnavailable(detail="away")
        return await forward()

    async def scenario() -> None:
        async with World(tmp_path, wrap=around(rule)) as world:
            placed = an_order("PIXELFAB", ("BRG-6204", 2), card_token="card_declined")
            order = await world.place("k", placed)
            assert order.status == "rejected"
            assert tries == 4
            assert await left_over(world, order) == []

    run(scenario())


def test_a_refusal_after_the_pivot_holds_the_order_until_it_is_settled(tmp_path: Path) -> None:
    refusing = True

    async def rule(name: str, forward: Forward) -> Any:
        if name == "post_invoice" and refusing:
            raise WrongState(record_id="SO-1", state="locked", detail="The books are closed.")
        return await forward()

    async def scenario() -> None:
        nonlocal refusing
        settings = FlowSettings(home=tmp_path, patience_s=0.1, park_s=0.2)
        async with World(tmp_path, wrap=around(rule), settings=settings) as world:
            held = await world.place("k", an_order("ACME", ("BRG-6204", 1)))
            assert (held.status, held.stage) == ("on_hold", "invoice")
            assert (held.problem, held.reason) == ("wrong-state", "The books are closed.")
            refusing = False
            order = await status_of(world, held.order_id, "completed")
            assert (order.reason, order.problem) == (None, None)

    run(scenario())


def test_a_long_wait_leaves_memory_and_comes_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        settings = FlowSettings(home=tmp_path, patience_s=0.1, park_s=0.1)
        async with World(tmp_path, dispatch_s=3_600, settings=settings) as world:
            order = await world.place("k", an_order("ACME", ("BRG-6204", 1)), wait_s=0)
            shipment_id = await shipment_released(world, order.order_id)
            await parked(world, order.order_id)
            await world.logistics.dispatch_shipment(shipment_id, "ACME", "by-hand")
            done = await status_of(world, order.order_id, "completed")
            with world.calling():
                entries = (await world.orders.get_timeline(order.order_id)).entries
            steps = [entry.step for entry in entries]
            assert steps[-4:] == ["issue_goods", "invoice", "write_back", "completed"]
            assert steps.count("issue_goods") == 1
            assert done.invoice_ids

    run(scenario())


async def parked(world: World, order_id: str) -> None:
    """The flow has left memory at least once."""
    query = sa.select(flows.c.leg).where(flows.c.flow_id == order_id)
    async with asyncio.timeout(30):
        while True:
            if await world.flows.read(lambda connection: connection.execute(query).scalar()):
                return
            await asyncio.sleep(0.01)


def test_flows_are_left_at_a_stop_and_go_on_at_the_next_start(tmp_path: Path) -> None:
    async def first() -> str:
        async with World(tmp_path, dispatch_s=1.0) as world:
            order = await world.place("k", an_order("ACME", ("BRG-6204", 1)), wait_s=0)
            await shipment_released(world, order.order_id)
            return order.order_id

    async def second(order_id: str) -> None:
        async with World(tmp_path, dispatch_s=1.0) as world:
            await status_of(world, order_id, "completed")

    run(second(run(first())))
