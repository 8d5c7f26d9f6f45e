"""Whoever had a hand in an order, by whatever way, does not say yes to it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from order_world import World, an_order, run
from test_approvals import RULES, decided
from test_duplicates import Shifted
from test_interruptions import status_of
from test_parts import levels, seen

from process_apis.flow.tables import exceptions
from process_apis.flow.trouble import Settlement
from process_apis.order_to_fulfillment.amendments import AmendedLine, Amendment
from process_apis.order_to_fulfillment.v1.model import NewAgreedOrder, NewAgreedOrderLine, Order
from system_apis.canonical.refusals import FourEyes

SOMEBODY_ELSE = Amendment(lines=(AmendedLine(1, 30),), by="somebody else")


async def is_left_to(world: World, order: Order, approver: str, *authors: str) -> None:
    """None of these may approve the order, and this one may."""
    order = await seen(world, order.order_id, lambda one: one.stage == "awaiting_approval")
    for who in authors:
        with pytest.raises(FourEyes):
            await decided(world, order, "approve", who=who)
    approved = await decided(world, order, "approve", who=approver)
    assert approved.approval is not None and approved.approval.approved_by == approver


@pytest.mark.parametrize("correction", [b"", msgspec.json.encode(SOMEBODY_ELSE)])
def test_whoever_does_an_order_anew_does_not_approve_it(tmp_path: Path, correction: bytes) -> None:
    async def scenario() -> None:
        async with World(tmp_path, rules=RULES) as world:
            await levels(world, "BRG-6204")
            order = await world.place("k", an_order("ACME", ("BRG-6204", 40), reference="PO-2"))
            assert (order.status, order.problem) == ("rejected", "insufficient-stock")
            await levels(world, "BRG-6204", HAM=100)
            plan = await world.flows.rerun(
                order.order_id, "check_account", correction, "k", by="clerk", reason="there are some now"
            )
            assert plan.allowed, plan.why
            again = await seen(world, plan.flow_id, lambda one: one.stage == "awaiting_approval")
            await is_left_to(world, again, "boss", "clerk", "tester")

    run(scenario())


def test_whoever_amends_an_order_that_was_stuck_does_not_approve_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = Shifted()
        async with World(tmp_path, rules=RULES, clock=clock) as world:
            await levels(world, "BRG-6204", HAM=30)
            wanted = an_order("ACME", ("BRG-6204", 40), reference="PO-3", channel="partner", shortage="ship_complete")
            order = await world.place("k", wanted, wait_s=0)
            await seen(world, order.order_id, lambda one: one.stage == "back_ordered")
            clock.ahead = timedelta(days=60, seconds=1)
            held = await status_of(world, order.order_id, "on_hold")
            query = sa.select(exceptions.c.exception_id).where(exceptions.c.status == "open")
            found = await world.flows.read(lambda connection: connection.execute(query).scalar_one())
            body = msgspec.json.encode(SOMEBODY_ELSE)
            settled = Settlement(choice="amend", reason="thirty will do", by="clerk", body=body)
            assert await world.flows.settle(found, settled)
            await is_left_to(world, held, "boss", "clerk", "tester")

    run(scenario())


def test_whoever_had_a_hand_in_what_was_agreed_does_not_approve_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path, rules=RULES) as world:
            wanted = NewAgreedOrder(
                account_id="ACME",
                reference="PO-4",
                lines=(NewAgreedOrderLine(sku="BRG-6204", quantity=40),),
                prepared_by=("seller", "reviser"),
            )
            with world.calling("k"):
                order = await world.orders.place_agreed_order(wanted)
            await is_left_to(world, order, "boss", "seller", "reviser", "tester")

    run(scenario())
