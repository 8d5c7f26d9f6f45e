"""Orders of high value wait for the yes of somebody who did not place them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from order_world import World, an_order, left_over, run
from test_duplicates import Shifted
from test_parts import seen

from process_apis.order_to_fulfillment.flow import ORDER_TO_FULFILLMENT
from process_apis.order_to_fulfillment.record import Approval, OrderRecord
from process_apis.order_to_fulfillment.settings import OrderSettings, Threshold
from process_apis.order_to_fulfillment.v1.model import (
    AmendedLine,
    NewOrder,
    Order,
    OrderAmendment,
    OrderCancellation,
    OrderDecision,
)
from system_apis.canonical.refusals import FourEyes, WrongState

RULES = OrderSettings(
    approval_above=(Threshold(currency="EUR", amount_minor=5_000),), approval_due_s=3_600, approval_most_s=7_200
)
HIGH = an_order("ACME", ("BRG-6204", 20), reference="PO-HIGH-1")


async def waiting(world: World, key: str = "k", wanted: NewOrder = HIGH) -> Order:
    """A new order once it waits for a decision."""
    order = await world.place(key, wanted, wait_s=0)
    return await seen(world, order.order_id, lambda one: one.stage == "awaiting_approval")


async def decided(world: World, order: Order, verb: str, who: str = "boss", reason: str = "") -> Order:
    with world.calling(f"{verb}-{who}", who=who, wait_s=5):
        decision = OrderDecision(account_id=order.account_id, reason=reason)
        return await getattr(world.orders, f"{verb}_order")(order.order_id, decision)


async def told(world: World, order: Order) -> list[str]:
    return [one.kind for one in await world.crm.ledger() if one.subject_id == order.order_id]


def test_an_order_goes_on_once_somebody_else_has_said_yes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path, rules=RULES) as world:
            order = await waiting(world)
            assert order.approval is not None
            assert (order.status, order.approval.status) == ("allocated", "waiting")
            assert (order.allocations[0].quantity, order.sales_order_id) == (20, None)
            with pytest.raises(FourEyes):
                await decided(world, order, "approve", who="tester")
            with pytest.raises(FourEyes):
                await decided(world, order, "refuse", who="tester")
            approved = await decided(world, order, "approve")
            assert approved.approval is not None
            assert (approved.approval.status, approved.approval.approved_by) == ("approved", "boss")
            done = await seen(world, order.order_id, lambda one: one.status == "completed")
            assert await told(world, done) == ["approval_needed", "order_completed"]
            with pytest.raises(WrongState):
                await decided(world, done, "refuse", who="boss")

    run(scenario())


def test_whoever_changed_an_order_does_not_approve_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path, rules=RULES) as world:
            order = await waiting(world)
            for who, quantity in (("boss", 40), ("chief", 30)):
                with world.calling(f"amend-{who}", who=who):
                    wish = OrderAmendment(account_id="ACME", lines=(AmendedLine(line_no=1, quantity=quantity),))
                    await world.orders.amend_order(order.order_id, wish)
                await seen(
                    world,
                    order.order_id,
                    lambda one, wanted=quantity: one.stage == "awaiting_approval" and one.lines[0].quantity == wanted,
                )
            for who in ("tester", "boss", "chief"):
                with pytest.raises(FourEyes):
                    await decided(world, order, "approve", who=who)
            approved = await decided(world, order, "approve", who="third")
            assert approved.approval is not None and approved.approval.approved_by == "third"

    run(scenario())


def test_an_order_that_is_refused_is_rejected(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path, rules=RULES) as world:
            order = await waiting(world)
            refused = await decided(world, order, "refuse", reason="too much for this quarter")
            rejected = await seen(world, refused.order_id, lambda one: one.status == "rejected")
            assert (rejected.problem, rejected.reason) == ("not-approved", "too much for this quarter")
            assert await left_over(world, rejected) == []

    run(scenario())


def test_what_is_worth_less_waits_for_nobody(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path, rules=RULES) as world:
            order = await world.place("k", an_order("ACME", ("BRG-6204", 1)))
            assert (order.status, order.approval) == ("completed", None)
            with pytest.raises(WrongState):
                await decided(world, order, "approve")

    run(scenario())


def test_of_two_who_decide_at_once_one_is_heard(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path, rules=RULES) as world:
            order = await waiting(world)
            both = (decided(world, order, "approve", who="boss"), decided(world, order, "refuse", who="chief"))
            answers: list[Any] = list(await asyncio.gather(*both, return_exceptions=True))
            assert sum(isinstance(one, WrongState) for one in answers) == 1
            [heard] = [one for one in answers if not isinstance(one, WrongState)]
            wanted = "completed" if heard.approval and heard.approval.approved_by else "rejected"
            assert (await seen(world, order.order_id, lambda one: one.status == wanted)).status == wanted

    run(scenario())


def test_sales_is_told_when_nobody_decides_and_the_order_is_rejected_in_the_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = Shifted()
        async with World(tmp_path, rules=RULES, clock=clock) as world:
            order = await waiting(world)
            assert await told(world, order) == ["approval_needed"]
            clock.ahead = timedelta(seconds=3_700)
            async with asyncio.timeout(30):
                while await told(world, order) != ["approval_needed", "approval_overdue"]:
                    await asyncio.sleep(0.02)
            clock.ahead = timedelta(seconds=7_300)
            rejected = await seen(world, order.order_id, lambda one: one.status == "rejected")
            assert rejected.problem == "not-approved"

    run(scenario())


def test_an_order_that_waits_is_cancelled_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path, rules=RULES) as world:
            order = await waiting(world)
            with world.calling("cancel", wait_s=5):
                stopped = await world.orders.cancel_order(order.order_id, OrderCancellation(account_id="ACME"))
            assert stopped.status == "cancelled"
            assert await left_over(world, stopped) == []

    run(scenario())


@pytest.mark.parametrize("changes", [True, False])
def test_a_yes_holds_for_the_price_that_it_was_given_for(tmp_path: Path, changes: bool) -> None:
    async def scenario() -> None:
        async with World(tmp_path, rules=RULES) as world:
            order = await waiting(world, wanted=an_order("ACME", ("BRG-6000", 40), reference="PO-HIGH-2"))
            terms = await world.erp.get_terms("ACME")
            await world.erp.put_terms(replace(terms, on_hold=True))
            await decided(world, order, "approve")
            order = await seen(world, order.order_id, lambda one: one.status == "rejected")
            await world.erp.put_terms(replace(terms, discount_bp=0 if changes else terms.discount_bp))
            plan = await world.flows.replay(order.order_id, "price", by="clerk", reason="the hold is off")
            assert plan.allowed, plan.why
            if changes:
                order = await seen(world, order.order_id, lambda one: one.stage == "awaiting_approval")
                assert order.approval is not None and order.approval.status == "waiting"
                asked = [one.count for one in await world.crm.ledger() if one.kind == "approval_needed"]
                assert asked == [2], "sales was told again"
                await decided(world, order, "approve", who="chief")
            done = await seen(world, order.order_id, lambda one: one.status == "completed")
            assert done.approval is not None and done.total is not None and order.total is not None
            assert done.approval.approved_by == ("chief" if changes else "boss")

    run(scenario())


def test_which_steps_an_order_has_does_not_change_when_somebody_says_yes() -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    asked = OrderRecord(
        order_id="ord-1",
        account_id="ACME",
        reference="PO-1",
        channel="portal",
        status="allocated",
        stage="approve",
        lines=(),
        placed_at=now,
        updated_at=now,
        payment="on_account",
        approval=Approval(due_at=now, until=now),
    )
    answered = replace(asked, approval=Approval(due_at=now, until=now, approved_by="boss"))
    assert steps_of(asked) == steps_of(answered)
    assert "approve" in steps_of(answered)
    assert "approve" not in steps_of(replace(asked, approval=None))


def steps_of(order: OrderRecord) -> list[str]:
    return [step.name for step in ORDER_TO_FULFILLMENT.rows if step.when is None or step.when(order)]
