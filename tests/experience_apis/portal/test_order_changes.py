"""What a customer changes about an order in the portal: amended, waited for, cancelled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pytest

from tests.experience_apis.portal.test_service import PORTAL, SERVICES
from tests.process_apis.world import World, running

IN_TIME_S = 40
MORE_THAN_THERE_IS = 4_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("home"), "verify", SERVICES) as world:
        yield world


def placed(world: World, reference: str, **more: Any) -> dict[str, Any]:
    lines = [{"sku": "BRG-6000", "quantity": MORE_THAN_THERE_IS}, {"sku": "BRG-6204", "quantity": 1}]
    answer = world.ask(
        "acme", "POST", f"{PORTAL}/orders", body={"reference": reference, "lines": lines, **more}, key=reference
    )
    assert answer.status_code == 202, answer.text
    return answer.json()


def reached(world: World, order_id: str, member: str, wanted: str) -> httpx2.Response:
    """The answer that shows the order once a member of it is as wanted."""
    deadline = time.monotonic() + IN_TIME_S
    while (answer := world.ask("acme", "GET", f"{PORTAL}/orders/{order_id}")).json()[member] != wanted:
        assert time.monotonic() < deadline, answer.text
        world.run(asyncio.sleep(0.02))
    return answer


def amend(world: World, order_id: str, tag: str, quantity: int, who: str = "acme") -> httpx2.Response:
    headers = {"authorization": f"Bearer {who}", "content-type": "application/json", "if-match": tag}
    wish = msgspec.json.encode({"lines": [{"line_no": 1, "quantity": quantity}]})
    return world.run(world.client.patch(f"{PORTAL}/orders/{order_id}", headers=headers, content=wish))


def test_an_order_that_waits_for_goods_is_amended_to_what_there_is(world: World) -> None:
    order_id = placed(world, "PO-PATCH", shortage="ship_complete")["order_id"]
    waiting = reached(world, order_id, "stage", "back_ordered")
    line = waiting.json()["lines"][0]
    assert (line["status"], line["back_ordered"]) == ("back_ordered", MORE_THAN_THERE_IS)
    assert line["expected_on"]
    tag = waiting.headers["etag"]
    for stale in ('"1"', '"x"'):
        assert amend(world, order_id, stale, 3).status_code == 412
    assert amend(world, order_id, tag, 3, who="globex").status_code == 404
    assert amend(world, order_id, tag, 3).status_code == 200
    assert amend(world, order_id, tag, 4).status_code == 412
    done = reached(world, order_id, "status", "completed").json()
    assert [(line["quantity"], line["status"]) for line in done["lines"]] == [(3, "shipped"), (1, "shipped")]
    late = amend(world, order_id, "*", 5)
    assert (late.status_code, late.json()["type"]) == (409, "/problems/wrong-state")


def test_what_is_there_is_sent_and_the_rest_is_cancelled_with_a_return_of_what_left(world: World) -> None:
    order_id = placed(world, "PO-PART", shortage="ship_partial")["order_id"]
    partly = reached(world, order_id, "stage", "back_ordered").json()
    assert 0 < partly["lines"][0]["shipped"] < MORE_THAN_THERE_IS
    assert len(partly["invoice_ids"]) == len(partly["shipment_ids"])
    answer = world.ask("acme", "POST", f"{PORTAL}/orders/{order_id}/cancel", key="cancel-part")
    assert answer.status_code == 202, answer.text
    stopped = reached(world, order_id, "status", "cancelled").json()
    assert len(stopped["return_ids"]) == 1
    assert stopped["lines"][0]["cancelled"] == MORE_THAN_THERE_IS - partly["lines"][0]["shipped"]
