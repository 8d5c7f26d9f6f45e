"""Returns in the portal: a customer names an order and sees what becomes of the goods."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from experience_apis.portal.v1.service import Portal
from process_apis.catalogue.v1.service import Catalogue
from process_apis.customer_account.v1.service import CustomerAccount
from process_apis.events.v1.service import Events
from process_apis.order_to_fulfillment.v1.service import OrderToFulfillment
from process_apis.quote_to_cash.v1.service import QuoteToCash
from process_apis.returns.v1.service import Returns
from system_apis.commerce.v1.service import Commerce
from system_apis.crm.v1.service import Crm
from system_apis.erp.v1.service import Erp
from system_apis.logistics.v1.service import Logistics
from system_apis.notifications.v1.service import Notifications
from system_apis.payments.v1.service import Payments
from tests.process_apis.world import World, running

SERVICES = (
    Erp, Crm, Logistics, Payments, Commerce, Notifications, Events, Returns, OrderToFulfillment, QuoteToCash,
    CustomerAccount, Catalogue, Portal,
)  # fmt: skip
PORTAL = "/experience/portal/v1"
DESK = "/process/returns/v1/returns"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("portal"), "verify", SERVICES) as world:
        yield world


@pytest.fixture(scope="module")
def order(world: World) -> Any:
    """An order of ACME that went all the way."""
    body = {"reference": "PO-7001", "lines": [{"sku": "BRG-6204", "quantity": 5}]}
    answer = world.ask("acme", "POST", f"{PORTAL}/orders", body=body, key="order", wait_s=20)
    assert answer.json()["status"] == "completed", answer.text
    return answer.json()


def wish(world: World, order: Any, quantity: int, *, key: str, who: str = "acme", **more: Any) -> Any:
    lines = [{"sku": "BRG-6204", "quantity": quantity}]
    body = {"order_id": order["order_id"], "lines": lines, "reason": "damaged", **more}
    return world.ask(who, "POST", f"{PORTAL}/returns", body=body, key=key, wait_s=8)


def desk(world: World, return_id: str, what: str, lines: list[dict[str, Any]]) -> None:
    body = {"account_id": "ACME", "lines": lines}
    answer = world.ask("platform", "POST", f"{DESK}/{return_id}/{what}", body=body, key=what + return_id, wait_s=8)
    assert answer.status_code == 202, answer.text


def test_goods_of_an_order_go_back(world: World, order: Any) -> None:
    answer = wish(world, order, 2, key="w-1", note="The box was open.")
    goods = answer.json()
    assert (answer.status_code, goods["status"], goods["account_id"]) == (202, "authorised", "ACME"), answer.text
    assert answer.headers["location"].endswith(f"/returns/{goods['return_id']}")
    assert goods["number"].startswith("RET-")
    assert goods["send_by"] > goods["requested_at"]
    desk(world, goods["return_id"], "receive", [{"sku": "BRG-6204", "quantity": 2}])
    desk(world, goods["return_id"], "inspect", [{"sku": "BRG-6204", "restocked": 1, "scrapped": 1}])
    goods = world.get("acme", f"{PORTAL}/returns/{goods['return_id']}")
    assert (goods["status"], goods["lines"]) == (
        "closed", [{"sku": "BRG-6204", "quantity": 2, "received": 2, "accepted": 2}],
    )  # fmt: skip
    assert (goods["credited_by"], goods["credit"]["currency"]) == ("account", "EUR")
    assert "HAM" not in json.dumps(goods)


def test_a_return_is_cancelled_and_listed(world: World, order: Any) -> None:
    goods = wish(world, order, 1, key="w-2").json()
    path = f"{PORTAL}/returns/{goods['return_id']}"
    cancelled = world.ask("acme", "POST", f"{path}/cancel", key="c-2", wait_s=8)
    assert (cancelled.status_code, cancelled.json()["status"]) == (202, "cancelled"), cancelled.text
    listed = world.collect("acme", f"{PORTAL}/returns", order_id=order["order_id"], limit=1)
    assert listed[0]["return_id"] == goods["return_id"]
    assert [one["status"] for one in world.collect("acme", f"{PORTAL}/returns", status="cancelled")] == ["cancelled"]


def test_more_than_was_ordered_ends_rejected_with_the_reason(world: World, order: Any) -> None:
    goods = wish(world, order, 99, key="w-3").json()
    assert (goods["status"], goods["number"], bool(goods["end_reason"])) == ("rejected", None, True)


def test_an_order_that_was_not_taken_has_nothing_to_return(world: World) -> None:
    body = {"reference": "PO-7002", "lines": [{"sku": "BRG-6204", "quantity": 900_000}]}
    order = world.ask("acme", "POST", f"{PORTAL}/orders", body=body, key="order-2", wait_s=2).json()
    refused = wish(world, order, 1, key="w-4")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/wrong-state")


def test_the_company_reasons_are_not_the_customers(world: World, order: Any) -> None:
    refused = wish(world, order, 1, key="w-5", reason="order_cancelled")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/reason")


def test_others_see_and_say_nothing(world: World, order: Any) -> None:
    goods = wish(world, order, 1, key="w-6").json()
    path = f"{PORTAL}/returns/{goods['return_id']}"
    assert wish(world, order, 1, key="w-7", who="globex").status_code == 404
    assert world.ask("globex", "GET", path).status_code == 404
    assert world.ask("globex", "POST", f"{path}/cancel", key="c-6").status_code == 404
    assert world.collect("globex", f"{PORTAL}/returns") == []
    assert world.get("acme", path)["status"] == "authorised"
