"""Timeline v1 over orders that really ran, and over rows that say what can't be waited for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from process_apis.order_to_fulfillment.v1.service import OrderToFulfillment
from process_apis.timeline.v1.service import TimelineOfProcesses
from system_apis.commerce.v1.service import Commerce
from system_apis.crm.v1.service import Crm
from system_apis.erp.v1.service import Erp
from system_apis.logistics.v1.service import Logistics
from system_apis.payments.v1.service import Payments
from tests.process_apis.world import World, running

SERVICES = (Erp, Crm, Logistics, Payments, Commerce, OrderToFulfillment, TimelineOfProcesses)
ORDERS = "/process/order-to-fulfillment/v1/orders"
TIMELINES = "/process/timeline/v1/timelines"
MEASURES = "/process/timeline/v1/measures"


@pytest.fixture(scope="module", params=["direct", "verify"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("timeline"), request.param, SERVICES) as world:
        yield world


def placed(world: World, who: str, account_id: str, key: str, quantity: int = 2) -> Any:
    body = {
        "account_id": account_id,
        "channel": "portal",
        "reference": f"PO-{key}",
        "lines": [{"sku": "BRG-6204", "quantity": quantity}],
    }
    answer = world.ask(who, "POST", ORDERS, body=body, key=key, wait_s=10)
    assert answer.status_code == 202, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def order(world: World) -> Any:
    order = placed(world, "acme", "ACME", "k-1")
    assert order["status"] == "completed"
    return order


def test_a_timeline_tells_every_step_with_its_owner_and_time(world: World, order: Any) -> None:
    told = world.get("acme", f"{TIMELINES}/{order['order_id']}")

    steps = [step["step"] for step in told["steps"]]
    assert steps[0] == "accept"
    assert steps[-1] == "completed"
    assert steps.index("reserve_stock") < steps.index("ship") < steps.index("invoice")
    assert (told["flow"], told["status"], told["client"]) == ("order_to_fulfillment", "completed", "acme")
    assert told["owner"] == "Order operations"
    calls = [call for step in told["steps"] for call in step["calls"]]
    assert {call["owner"] for call in calls if call["api"] == "erp.v1"} == {"Finance systems"}
    assert all(call["owner"] for call in calls)
    assert told["elapsed_ms"] == pytest.approx(sum(step["elapsed_ms"] for step in told["steps"]), abs=len(steps))
    assert all(step["elapsed_ms"] - step["working_ms"] - step["waiting_ms"] in (0, 1) for step in told["steps"])
    assert told["ended_at"] is not None


@pytest.mark.parametrize("name", ["order_id", "reference", "sales_order_id", "invoice_ids", "shipment_ids"])
def test_an_order_is_found_by_each_of_its_numbers(world: World, order: Any, name: str) -> None:
    number = order[name] if isinstance(order[name], str) else order[name][0]
    found = world.collect("acme", TIMELINES, any_id=number)
    assert [one["flow_id"] for one in found] == [order["order_id"]], number


def test_what_happens_after_a_search_is_found_by_the_next(world: World) -> None:
    assert world.collect("platform", TIMELINES, any_id="PO-k-later") == []
    order = placed(world, "acme", "ACME", "k-later")
    assert [one["flow_id"] for one in world.collect("platform", TIMELINES, any_id="PO-k-later")] == [order["order_id"]]
    invoice = order["invoice_ids"][0]
    assert [one["matched"] for one in world.collect("platform", TIMELINES, any_id=invoice)] == [["invoice"]]


def test_one_reference_of_many_orders_is_paged_newest_first(world: World) -> None:
    for number in range(3):
        body = {
            "account_id": "ACME",
            "channel": "portal",
            "reference": "PO-SAME",
            "lines": [{"sku": "BRG-6204", "quantity": number + 1}],
        }
        assert world.ask("acme", "POST", ORDERS, body=body, key=f"same-{number}", wait_s=10).status_code == 202
    found = world.collect("acme", TIMELINES, any_id="PO-SAME", limit=1)
    assert len({one["flow_id"] for one in found}) == 3
    assert [one["started_at"] for one in found] == sorted((one["started_at"] for one in found), reverse=True)


def test_other_accounts_see_nothing(world: World, order: Any) -> None:
    assert world.collect("globex", TIMELINES, any_id=order["order_id"]) == []
    assert world.ask("globex", "GET", f"{TIMELINES}/{order['order_id']}").status_code == 404
    assert world.ask("acme", "GET", TIMELINES, query={"any_id": "x", "account_id": "GLOBEX"}).status_code == 404
    assert world.ask("platform", "GET", f"{TIMELINES}/ord-none").status_code == 404


def test_an_order_that_was_refused_shows_the_way_back(world: World) -> None:
    order = placed(world, "acme", "ACME", "k-much", quantity=1_000_000)
    told = world.get("acme", f"{TIMELINES}/{order['order_id']}")
    assert (told["status"], told["steps"][-1]["outcome"]) == ("rejected", "rejected")
    assert "credit" in told["steps"][-1]["calls"][0]["detail"]


def test_measures_count_what_ran(world: World, order: Any) -> None:
    flows = world.get("platform", f"{MEASURES}/flows", flow="order_to_fulfillment")
    (measured,) = flows["flows"]
    assert flows["complete"] is True
    assert measured["started"] == flows["considered"]
    assert sum(one["count"] for one in measured["outcomes"]) == measured["cycle"]["count"]

    steps = world.get("platform", f"{MEASURES}/steps", step="invoice")["steps"]
    assert [(one["step"], one["failed"]) for one in steps] == [("invoice", 0)]
    assert steps[0]["cycle"]["p50_ms"] <= steps[0]["cycle"]["longest_ms"]


def test_measures_are_of_the_time_that_is_asked_for(world: World, order: Any) -> None:
    before = world.get("platform", f"{MEASURES}/flows", until="2020-01-01T00:00:00Z")
    assert (before["considered"], before["flows"]) == (0, [])
    queues = world.get("platform", f"{MEASURES}/queues")
    assert (queues["considered"], queues["queues"]) == (0, [])


def test_service_levels_are_published(world: World) -> None:
    levels = world.get("nobody", "/process/timeline/v1/service-levels")["levels"]
    assert levels[-1]["name"] == "standard"
    assert levels[-1]["channels"] == []
