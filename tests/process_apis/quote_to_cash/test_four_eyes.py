"""Whoever had a hand in a quote approves neither its discounts nor the order that it becomes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from process_apis.order_to_fulfillment.settings import OrderSettings, Threshold
from process_apis.quote_to_cash.record import Correction, Line
from tests.process_apis.quote_to_cash.quote_world import (
    BEARING,
    SERVICES,
    Ahead,
    extra,
    noted,
    request,
    said,
    say,
    seen,
    sent,
    wish,
)
from tests.process_apis.world import World, running

ORDERS = "/process/order-to-fulfillment/v1/orders"
HIGH = OrderSettings(approval_above=(Threshold(currency="EUR", amount_minor=1_000),))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, clock: Ahead) -> Iterator[World]:
    more = {**extra(clock), OrderSettings: HIGH}
    with running(tmp_path_factory.mktemp("four-eyes"), "verify", SERVICES, extra=more) as world:
        yield world


def is_revised(quote: Any) -> bool:
    return bool(quote["revision"] == 2)


def is_ordered(quote: Any) -> bool:
    return bool(quote["order_id"])


def waits(quote: Any) -> bool:
    return bool(quote["waits_for_approval"])


def waiting(world: World, order_id: str) -> Any:
    """The order once it waits for a yes."""
    deadline = time.monotonic() + 15
    while (found := world.get("platform", f"{ORDERS}/{order_id}"))["stage"] != "awaiting_approval":
        assert time.monotonic() < deadline, found
        world.run(asyncio.sleep(0.02))
    return found


def test_who_asked_for_revised_or_accepted_a_quote_does_not_approve_its_order(world: World) -> None:
    quote = sent(world)
    revised = said(world, quote, "revise", who="manager", lines=[{"sku": BEARING, "quantity": 12}])
    revised = seen(world, revised, "sent", good=is_revised)
    said(world, revised, "accept", who="acme")
    quote = seen(world, quote, "ordered", good=is_ordered)
    order = waiting(world, quote["order_id"])
    path = f"{ORDERS}/{order['order_id']}/approve"
    for who in ("platform", "manager", "acme"):
        answer = world.ask(who, "POST", path, body={"account_id": "ACME"}, key=f"yes-{who}")
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/four-eyes"), who
    answer = world.ask("director", "POST", path, body={"account_id": "ACME"}, key="yes", wait_s=5)
    assert (answer.status_code, answer.json()["approval"]["approved_by"]) == (202, "director")


def test_who_does_a_quote_anew_does_not_approve_its_discounts(world: World, clock: Ahead) -> None:
    quote = request(world, wish((BEARING, 10, 1_501)))
    said(world, quote, "decide", who="director", approved=False)
    noted(world, quote, "quote_rejected")
    lines = (Line(line_no=1, sku=BEARING, quantity=10, wanted_discount_bp=1_000),)
    body = msgspec.json.encode(Correction(lines=lines, valid_until=clock.now().date() + timedelta(7), by="platform"))
    plan = world.run(world.flows.rerun(quote["quote_id"], "price", body, "anew", by="manager", reason="A smaller one."))
    assert plan.allowed, plan.why
    again = seen(world, {"quote_id": plan.flow_id}, "requested", good=waits)
    for who in ("platform", "manager"):
        answer = say(world, again, "decide", who=who, approved=True)
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/four-eyes"), who
    said(world, again, "decide", who="director", approved=True)
    assert seen(world, again, "sent")["approved_by"] == "director"
