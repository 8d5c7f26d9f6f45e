"""Orders that people do again: the same one after its trouble is over, or a corrected run of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from order_world import World, an_order, run
from test_interruptions import status_of
from test_parts import levels

from process_apis.order_to_fulfillment.amendments import AmendedLine, Amendment
from process_apis.order_to_fulfillment.v1.model import Order


async def rejected(world: World, **more: Any) -> Order:
    """An order of five that was rejected because there are two."""
    await levels(world, "BRG-6000", HAM=2)
    order = await world.place("k", an_order("ACME", ("BRG-6000", 5), **more))
    assert (order.status, order.problem) == ("rejected", "insufficient-stock")
    return order


async def once(world: World, order: Order, quantity: int) -> None:
    """There is one live order, one shipment and one invoice, for what was wanted."""
    ledger = await world.erp.ledger()
    live = [one for one in ledger.orders if one.status != "cancelled"]
    assert order.total is not None
    assert [(one.invoices, one.invoiced_minor) for one in live] == [(1, order.total.amount_minor)]
    assert ledger.discrepancies == ()
    sent = [one for one in await world.logistics.ledger() if one.status != "cancelled"]
    assert [one.order_reference for one in sent] == [order.order_id]
    assert sum(line.quantity for one in order.shipments for line in one.lines) == quantity


@pytest.mark.parametrize("step", ["check_account", "price", "reserve_stock"])
def test_a_rejected_order_is_done_again_once_its_goods_are_there(tmp_path: Path, step: str) -> None:
    async def scenario() -> None:
        async with World(tmp_path) as world:
            order = await rejected(world)
            await levels(world, "BRG-6000", HAM=9)
            plan = await world.flows.replay(order.order_id, step, by="clerk", reason="stock came")
            assert plan.allowed, plan.why
            done = await status_of(world, order.order_id, "completed")
            assert (done.reason, done.problem) == (None, None)
            await once(world, done, 5)

    run(scenario())


def test_a_corrected_run_is_an_order_of_its_own(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path) as world:
            order = await rejected(world, reference="PO-55")
            wish = msgspec.json.encode(Amendment(lines=(AmendedLine(1, 2),)))
            plan = await world.flows.rerun(
                order.order_id, "check_account", wish, "clerk-1", by="clerk", reason="two will do"
            )
            assert plan.allowed, plan.why
            assert plan.flow_id != order.order_id
            done = await status_of(world, plan.flow_id, "completed")
            assert (done.reference, done.amendments) == ("PO-55", 0)
            await once(world, done, 2)
            assert (await status_of(world, order.order_id, "rejected")).order_id == order.order_id

    run(scenario())
