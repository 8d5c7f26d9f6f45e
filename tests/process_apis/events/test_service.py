"""Events v1: the feed as CloudEvents, for those who may see them, and held until there is news."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from process_apis.events.event import NewEvent
from process_apis.events.kind import happened
from process_apis.events.outbox import append
from process_apis.events.taxonomy.order import OrderCancelled, OrderCompleted
from process_apis.events.taxonomy.price import PriceChanged
from process_apis.events.v1.service import Events
from process_apis.flow.runtime import FlowRuntime
from system_apis.crm.v1.service import Crm
from system_apis.erp.v1.service import Erp
from system_apis.logistics.v1.service import Logistics
from system_apis.payments.v1.service import Payments
from tests.process_apis.world import World, running

SERVICES = (Erp, Crm, Logistics, Payments, Events)
FEED = "/process/events/v1/events"
NOW = datetime(2026, 3, 1, 12, 0, 0, 500, tzinfo=UTC)


@pytest.fixture(params=["direct", "verify"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("events"), request.param, SERVICES) as world:
        yield world


def cancelled(order_id: str, account_id: str) -> NewEvent:
    data = OrderCancelled(order_id=order_id, account_id=account_id, reason="changed my mind")
    return happened(data, subject=order_id, account_id=account_id)


def completed(order_id: str, account_id: str) -> NewEvent:
    data = OrderCompleted(order_id=order_id, account_id=account_id, total=None)
    return happened(data, subject=order_id, account_id=account_id)


def price(sku: str) -> NewEvent:
    return happened(PriceChanged(sku=sku), subject=sku, account_id=None, source="/system/erp/v1")


async def write(flows: FlowRuntime, *new: NewEvent) -> None:
    await flows.write(lambda connection: append(connection, new, NOW))


def fill(world: World, *new: NewEvent) -> None:
    world.run(write(world.flows, *new))


def subjects(page: Any) -> list[str]:
    return [event["subject"] for event in page["items"]]


@pytest.mark.rule("CloudEvents 1.0.2 §3.1", "Every event has id, source, specversion and type, none of them empty.")
@pytest.mark.rule(
    "CloudEvents JSON format 1.0.2 §3", "Attributes are members of the object, the data is its member data."
)
def test_an_event_is_a_cloud_event(world: World) -> None:
    fill(world, cancelled("ord-1", "ACME"))
    (event,) = world.get("acme", FEED)["items"]
    event_id = event.pop("id")
    assert event == {
        "specversion": "1.0",
        "source": "/process",
        "type": "tiergate.order.cancelled.v1",
        "subject": "ord-1",
        "time": "2026-03-01T12:00:00.000500Z",
        "sequence": "0000000001",
        "datacontenttype": "application/json",
        "accountid": "ACME",
        "data": {"order_id": "ord-1", "account_id": "ACME", "reason": "changed my mind"},
    }
    assert world.get("acme", f"{FEED}/{event_id}") == {"id": event_id, **event}


@pytest.mark.rule(
    "CloudEvents 1.0.2 §3", "Attribute names are lower-case letters and digits; absent ones are left out."
)
def test_attributes_are_named_as_the_standard_demands(world: World) -> None:
    fill(world, price("BRG-6204"), cancelled("ord-1", "ACME"))
    for event in world.get("platform", FEED)["items"]:
        assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in event)
        assert all(value is not None for value in event.values())


def test_callers_see_the_events_of_their_accounts(world: World) -> None:
    fill(world, cancelled("ord-1", "ACME"), cancelled("ord-2", "GLOBEX"), price("BRG-6204"))
    assert subjects(world.get("acme", FEED)) == ["ord-1"]
    assert subjects(world.get("globex", FEED)) == ["ord-2"]
    assert subjects(world.get("nobody", FEED)) == []
    everything = world.get("platform", FEED)
    assert subjects(everything) == ["ord-1", "ord-2", "BRG-6204"]
    assert subjects(world.get("platform", FEED, account_id="GLOBEX")) == ["ord-2"]
    assert world.ask("acme", "GET", FEED, query={"account_id": "GLOBEX"}).status_code == 404
    of_acme, of_globex, of_nobody = (event["id"] for event in everything["items"])
    assert world.ask("globex", "GET", f"{FEED}/{of_globex}").status_code == 200
    for hidden in (of_acme, of_nobody):
        assert world.ask("globex", "GET", f"{FEED}/{hidden}").status_code == 404
        assert world.ask("globex", "GET", FEED, query={"after": hidden}).status_code == 400


def test_the_feed_is_filtered_and_paged_and_goes_on_after_the_last_event(world: World) -> None:
    fill(world, *(event for i in range(7) for event in (cancelled(f"ord-{i}", "ACME"), completed(f"ord-{i}", "ACME"))))
    assert len(world.collect("acme", FEED, limit=3)) == 14
    wanted = world.collect("acme", FEED, type="order.cancelled", limit=2)
    assert [event["subject"] for event in wanted] == [f"ord-{i}" for i in range(7)]
    assert len(world.collect("acme", FEED, type="order.*", subject="ord-3")) == 2
    assert world.collect("acme", FEED, type="quote.*,invoice.posted") == []
    last = world.collect("acme", FEED)[-1]["id"]
    assert world.get("acme", FEED, after=last)["items"] == []
    fill(world, completed("ord-9", "ACME"))
    assert subjects(world.get("acme", FEED, after=last)) == ["ord-9"]
    refused = world.ask("acme", "GET", FEED, query={"after": "evt-" + "q" * 26})
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (400, "after")
    assert world.ask("acme", "GET", FEED, query={"type": "order"}).status_code == 400


def test_an_empty_answer_is_held_until_there_is_news_or_the_time_is_over(world: World) -> None:
    fill(world, cancelled("ord-1", "ACME"))
    last = world.get("acme", FEED)["items"][0]["id"]
    assert world.ask("acme", "GET", FEED, query={"after": last}, wait_s=1).json()["items"] == []

    async def meanwhile() -> Any:
        await write(world.flows, cancelled("ord-2", "GLOBEX"))
        await write(world.flows, cancelled("ord-3", "ACME"))

    async def both() -> Any:
        headers = {"authorization": "Bearer acme", "prefer": "wait=20"}
        asking = asyncio.ensure_future(world.client.get(FEED, params={"after": last}, headers=headers))
        await asyncio.sleep(0)
        await meanwhile()
        return (await asking).json()

    assert subjects(world.run(both())) == ["ord-3"]
