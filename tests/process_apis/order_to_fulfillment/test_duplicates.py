"""The same order twice: known over channels and over any number of clients at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from order_world import World, an_order, run
from test_channels import sold_on

from governance.call import SystemClock
from process_apis.flow import FlowSettings
from process_apis.flow.timeline import microseconds
from process_apis.order_to_fulfillment.duplicates import forget
from process_apis.order_to_fulfillment.tables import likenesses
from process_apis.order_to_fulfillment.v1.model import Order
from system_apis.canonical.refusals import DuplicateOrder


class Shifted(SystemClock):
    """The system's clock, put forward."""

    ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def test_of_a_hundred_clients_with_the_same_order_one_is_served(tmp_path: Path) -> None:
    wanted = an_order("ACME", ("BRG-6204", 1), ("BRG-6000", 2), reference="PO-100")

    async def scenario() -> None:
        async with World(tmp_path) as world:
            answers: list[Any] = await asyncio.gather(
                *(world.place(f"client-{number}", wanted, wait_s=0) for number in range(100)), return_exceptions=True
            )
            placed = [one for one in answers if isinstance(one, Order)]
            refused = [one for one in answers if isinstance(one, DuplicateOrder)]
            assert (len(placed), len(refused)) == (1, 99)
            assert {one.order_id for one in refused} == {placed[0].order_id}
            with world.calling():
                assert len((await world.orders.list_orders(account_id="ACME")).items) == 1

    run(scenario())


def test_what_makes_two_orders_the_same(tmp_path: Path) -> None:
    first = an_order("ACME", ("BRG-6204", 1), ("BRG-6000", 2), reference="PO-1000")

    async def scenario() -> None:
        clock = Shifted()
        async with World(tmp_path, clock=clock) as world:
            order = await world.place("first", first)
            same = an_order("ACME", ("BRG-6000", 2), ("BRG-6204", 1), reference="PO-1000", channel="partner")
            with pytest.raises(DuplicateOrder) as refused:
                await world.place("another channel, another order of lines", same)
            assert refused.value.order_id == order.order_id
            assert (await world.place("first", first)).order_id == order.order_id, "the key still finds it"
            others = (
                an_order("ACME", ("BRG-6204", 2), ("BRG-6000", 2), reference="PO-1000"),
                an_order("ACME", ("BRG-6204", 1), ("BRG-6000", 2), reference="PO-1001"),
                an_order("LIONET", ("BRG-6204", 1), ("BRG-6000", 2), reference="PO-1000"),
            )
            for number, other in enumerate(others):
                assert (await world.place(f"other-{number}", other)).status == "completed"
            meant = await world.place(
                "meant", an_order("ACME", ("BRG-6000", 2), ("BRG-6204", 1), reference="PO-1000", repeat=True)
            )
            assert (meant.status, meant.duplicate_of) == ("completed", None)
            clock.ahead = timedelta(days=1, minutes=1)
            assert (await world.place("a day later", same)).duplicate_of is None

    run(scenario())


def test_an_order_that_came_to_nothing_may_be_placed_again(tmp_path: Path) -> None:
    wanted = an_order("PIXELFAB", ("BRG-6204", 1), card_token="card_declined", reference="PO-7")

    async def scenario() -> None:
        async with World(tmp_path) as world:
            assert (await world.place("declined", wanted)).status == "rejected"
            again = an_order("PIXELFAB", ("BRG-6204", 1), card_token="card_ok", reference="PO-7")
            assert (await world.place("another card", again)).status == "completed"

    run(scenario())


def test_a_marketplaces_duplicate_is_taken_and_marked(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path) as world:
            placed: list[Order] = []
            for number in range(2):
                sold = await sold_on(world, "marketplace_south", "ACME", f"MS-{number}")
                wanted = an_order(
                    "ACME", ("BRG-6204", 1), channel="marketplace_south", channel_order_id=sold, reference="MS-9"
                )
                placed.append(await world.place(f"sold-{number}", wanted))
            first, second = placed
            assert (first.status, first.duplicate_of) == ("completed", None)
            assert (second.status, second.duplicate_of) == ("completed", first.order_id)

    run(scenario())


def test_likenesses_are_forgotten_once_nothing_is_compared_with_them(tmp_path: Path) -> None:
    async def likenesses_of(world: World) -> list[str]:
        query = sa.select(likenesses.c.order_id)
        return await world.flows.read(lambda connection: list(connection.execute(query).scalars()))

    async def scenario() -> None:
        clock = Shifted()
        settings = FlowSettings(home=tmp_path, tidy_s=0.02, timeline_days=1e-9)
        async with World(tmp_path, clock=clock, settings=settings) as world:
            order = await world.place("k", an_order("ACME", ("BRG-6204", 1), reference="PO-OLD"))
            assert order.status == "completed"
            assert await world.flows.write(partial(forget, before_us=microseconds(clock.now()))) == 0
            assert await likenesses_of(world) == [order.order_id], "another one today would be compared with it"
            clock.ahead = timedelta(days=3)
            async with asyncio.timeout(10):
                while await likenesses_of(world):
                    await asyncio.sleep(0.02)
            again = await world.place("k2", an_order("ACME", ("BRG-6204", 1), reference="PO-OLD"))
            assert again.status == "completed"

    run(scenario())
