"""Returns done again: under their own number nothing is doubled, and a corrected one is a new return."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from tests.process_apis.returns.returns_world import (
    BEARING,
    RETURNS,
    SEAL,
    Sold,
    ask_back,
    came,
    on_hand,
    said,
    say,
    seen,
    sell,
)
from tests.process_apis.world import World


def replay(world: World, goods: Any, step: str) -> Any:
    """Do a return again from a step, once its end is told."""
    return _once_allowed(
        world, lambda: world.run(world.flows.replay(goods["return_id"], step, by="desk", reason="again"))
    )


def rerun(world: World, goods: Any, body: bytes, by: str = "desk") -> Any:
    return _once_allowed(
        world,
        lambda: world.run(
            world.flows.rerun(goods["return_id"], "check_order", body, "again", by=by, reason="corrected")
        ),
    )


def _once_allowed(world: World, ask: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 40
    while not (plan := ask()).allowed and time.monotonic() < deadline:
        time.sleep(0.02)
    assert plan.allowed, plan.why
    return plan


def of_order(world: World, sale: Sold) -> list[str]:
    """The statuses of the ERP's returns of an order."""
    found = world.get("platform", "/system/erp/v1/returns", sales_order_id=sale.sales_order_id)["items"]
    return [one["status"] for one in found]


def test_a_return_that_waits_is_looked_at_again_and_authorised_once(world: World) -> None:
    sale = sell(world)
    goods = ask_back(world, sale.wish((BEARING, 10)))
    replay(world, goods, "check_order")
    said(world, goods["return_id"], "receive", came((BEARING, 10)))
    assert of_order(world, sale) == ["authorised"]


def test_a_closed_return_is_credited_once_however_often_it_is_done(world: World) -> None:
    sale, before = sell(world, card=True), on_hand(world, BEARING)
    everything = ((BEARING, 10), (SEAL, 4))
    goods = ask_back(world, sale.wish(*everything))
    said(world, goods["return_id"], "receive", came(*everything))
    verdict = {"lines": [{"sku": sku, "restocked": quantity} for sku, quantity in everything]}
    said(world, goods["return_id"], "inspect", verdict)
    for step in ("dispose", "credit", "refund"):
        replay(world, goods, step)
        again = seen(world, goods, "closed")
        assert again["credit"]["amount_minor"] == again["refunded"]["amount_minor"] == 16_660
        assert again["credited_by"] == "card"
    payment = world.get("platform", f"/system/payments/v1/payments/{sale.payment_id}")
    assert (payment["status"], payment["refunded"]["amount_minor"]) == ("refunded", 16_660)
    assert (on_hand(world, BEARING), of_order(world, sale)) == (before + 10, ["credited"])


def test_a_cancelled_return_is_taken_up_again(world: World) -> None:
    sale = sell(world)
    goods = ask_back(world, sale.wish((BEARING, 10)))
    said(world, goods["return_id"], "cancel", {})
    assert replay(world, goods, "check_order").renews
    again = seen(world, goods, "authorised")
    assert again["rma"] != goods["rma"]
    assert of_order(world, sale) == ["cancelled", "authorised"]


def test_a_rejected_return_is_asked_for_anew_with_what_is_right(world: World) -> None:
    sale = sell(world)
    goods = ask_back(world, sale.wish((BEARING, 99)))
    assert goods["status"] == "rejected"
    plan = rerun(world, goods, b'{"lines": [{"sku": "BRG-6204", "quantity": 9}]}')
    assert plan.flow_id != goods["return_id"]
    new = seen(world, {"return_id": plan.flow_id}, "authorised")
    assert new["lines"][0]["quantity"] == 9
    assert seen(world, goods, "rejected")["problem"] == "quantity-exceeded"


def test_whoever_corrected_a_return_does_not_decide_about_it(world: World) -> None:
    sale = sell(world, bearings=200, shipped={BEARING: 200})
    goods = ask_back(world, sale.wish((BEARING, 201)))
    body = b'{"lines": [{"sku": "BRG-6204", "quantity": 150}], "by": "somebody else"}'
    plan = rerun(world, goods, body, by="platform")
    new = waiting(world, plan.flow_id)
    for who in ("platform", "acme"):
        refused = say(world, new["return_id"], "decide", {"approved": True}, who=who, key=f"by-{who}")
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/four-eyes")
    assert said(world, new["return_id"], "decide", {"approved": True}, who="manager")["status"] == "authorised"


def waiting(world: World, return_id: str) -> Any:
    """The return once it waits for a decision."""
    deadline = time.monotonic() + 40
    while not (found := world.get("platform", f"{RETURNS}/{return_id}"))["waits_for_decision"]:
        assert time.monotonic() < deadline, found
        world.run(asyncio.sleep(0.02))
    return found
