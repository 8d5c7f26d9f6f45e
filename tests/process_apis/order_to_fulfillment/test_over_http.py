"""What an order clerk, a partner and an approver do with orders over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pytest

from process_apis.order_to_fulfillment.settings import OrderSettings, Threshold
from process_apis.order_to_fulfillment.v1.service import OrderToFulfillment
from system_apis.commerce.v1.service import Commerce
from system_apis.crm.v1.service import Crm
from system_apis.erp.v1.service import Erp
from system_apis.logistics.v1.service import Logistics
from system_apis.payments.v1.service import Payments
from tests.process_apis.world import World, running

SERVICES = (Erp, Crm, Logistics, Payments, Commerce, OrderToFulfillment)
ORDERS = "/process/order-to-fulfillment/v1/orders"
RULES = OrderSettings(approval_above=(Threshold(currency="EUR", amount_minor=100_000),))
IN_TIME_S = 40


@pytest.fixture(scope="module", params=["direct", "verify"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("home"), request.param, SERVICES, extra={OrderSettings: RULES}) as world:
        yield world


def body(reference: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
    lines = [{"sku": "BRG-6204", "quantity": quantity}, {"sku": "BRG-6000", "quantity": 1}]
    return {"account_id": "ACME", "channel": "portal", "reference": reference, "lines": lines, **more}


def placed(world: World, reference: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
    answer = world.ask("acme", "POST", ORDERS, body=body(reference, quantity, **more), key=reference)
    assert answer.status_code == 202, answer.text
    return answer.json()


def reached(world: World, order_id: str, member: str, wanted: str) -> dict[str, Any]:
    """The order once a member of it is as wanted."""
    deadline = time.monotonic() + IN_TIME_S
    while (order := world.get("acme", f"{ORDERS}/{order_id}"))[member] != wanted:
        assert time.monotonic() < deadline, order
        world.run(asyncio.sleep(0.02))
    return order


def amend(world: World, order_id: str, tag: str | None, quantity: int, who: str = "acme") -> httpx2.Response:
    return world.run(amending(world, order_id, tag, quantity, who))


async def amending(world: World, order_id: str, tag: str | None, quantity: int, who: str = "acme") -> httpx2.Response:
    headers = {"authorization": f"Bearer {who}", "content-type": "application/json"}
    headers |= {"if-match": tag} if tag is not None else {}
    wish = {"account_id": "ACME", "lines": [{"line_no": 1, "quantity": quantity}]}
    return await world.client.patch(f"{ORDERS}/{order_id}", headers=headers, content=msgspec.json.encode(wish))


def kind(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


def test_an_order_that_breaks_a_rule_of_its_channel_is_refused_with_the_field(world: World) -> None:
    wrong = body("MN-1", channel="marketplace_north")
    answer = world.ask("acme", "POST", ORDERS, body=wrong, key="mn-1")
    assert kind(answer) == (409, "channel-refused")
    assert (answer.json()["channel"], answer.json()["field"]) == ("marketplace_north", "channel_order_id")


def test_the_same_order_again_is_refused_with_the_first_until_it_is_said_to_be_meant(world: World) -> None:
    first = placed(world, "PO-TWICE-1")
    again = world.ask("platform", "POST", ORDERS, body=body("PO-TWICE-1", channel="partner"), key="twice")
    assert kind(again) == (409, "duplicate-order")
    assert again.json()["order_id"] == first["order_id"]
    meant = world.ask("platform", "POST", ORDERS, body=body("PO-TWICE-1", repeat=True), key="meant")
    assert meant.status_code == 202
    assert meant.json()["order_id"] != first["order_id"]


def test_an_amendment_names_the_revision_that_was_read(world: World) -> None:
    order_id = placed(world, "PO-AMEND", 300)["order_id"]
    reached(world, order_id, "stage", "awaiting_approval")
    read = world.ask("acme", "GET", f"{ORDERS}/{order_id}")
    tag = read.headers["etag"]
    assert tag == f'"{read.json()["revision"]}"'
    assert kind(amend(world, order_id, None, 310)) == (428, "precondition-required")
    assert kind(amend(world, order_id, '"1"', 310)) == (412, "precondition-failed")
    assert kind(amend(world, order_id, tag, 310, who="globex")) == (404, "not-found")

    async def at_once() -> list[httpx2.Response]:
        return await asyncio.gather(*(amending(world, order_id, tag, 320 + number) for number in range(5)))

    answers = world.run(at_once())
    [done] = [answer for answer in answers if answer.status_code == 200]
    assert [kind(one) for one in answers if one is not done] == [(412, "precondition-failed")] * 4
    again = reached(world, order_id, "stage", "awaiting_approval")
    assert (again["amendments"], again["lines"][0]["quantity"]) == (1, done.json()["lines"][0]["quantity"])
    assert kind(amend(world, order_id, tag, 330)) == (412, "precondition-failed")
    assert amend(world, order_id, "*", 1).status_code == 200
    settled = reached(world, order_id, "status", "completed")
    assert (settled["amendments"], settled["lines"][0]["quantity"]) == (2, 1)
    assert kind(amend(world, order_id, "*", 2)) == (409, "wrong-state")


def test_an_approver_decides_and_nobody_decides_about_their_own_order(world: World) -> None:
    order_id = placed(world, "PO-HIGH", 300)["order_id"]
    waiting = reached(world, order_id, "stage", "awaiting_approval")
    assert waiting["approval"]["status"] == "waiting"
    yes = {"account_id": "ACME"}
    own = world.ask("acme", "POST", f"{ORDERS}/{order_id}/approve", body=yes, key="own")
    assert kind(own) == (409, "four-eyes")
    approved = world.ask("platform", "POST", f"{ORDERS}/{order_id}/approve", body=yes, key="yes")
    assert (approved.status_code, approved.json()["approval"]["approved_by"]) == (202, "platform")
    reached(world, order_id, "status", "completed")

    other = placed(world, "PO-HIGH-2", 300)["order_id"]
    reached(world, other, "stage", "awaiting_approval")
    no = {"account_id": "ACME", "reason": "not this year"}
    assert world.ask("platform", "POST", f"{ORDERS}/{other}/refuse", body=no, key="no").status_code == 202
    rejected = reached(world, other, "status", "rejected")
    assert (rejected["problem"], rejected["reason"]) == ("not-approved", "not this year")
