"""Orders in trouble, told from rows: invoices that failed, channels that were not told, levels that were missed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from process_apis.events.tables import events
from process_apis.flow.tables import exceptions, flows, orders, timeline
from process_apis.flow.timeline import instant
from process_apis.timeline.levels import DAY_S, FRESH_S, HOUR_S, SERVICE_LEVELS, ServiceLevel, level_of
from process_apis.timeline.trouble import OrderFacts, Trouble, Which, late, not_refreshed, without_invoice

S = 1_000_000
NOW = 1_700_000_000 * S
ALL = Which(account_ids=None, after=None, limit=10)


class Rows:
    """Writes what flows would have written."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def order(
        self,
        order_id: str,
        *,
        ago_s: int = 60,
        status: str = "shipped",
        account_id: str = "ACME",
        channel: str = "portal",
        priority: int = 5,
        ended: bool = False,
        channel_order_id: str | None = None,
        sales_order_id: str | None = "SO-1",
    ) -> None:
        placed: datetime = instant(NOW - ago_s * S)
        facts = OrderFacts(
            order_id=order_id, account_id=account_id, reference=f"PO {order_id}", channel=channel, status=status,
            stage="some_step", placed_at=placed, updated_at=placed, channel_order_id=channel_order_id,
            sales_order_id=sales_order_id,
        )  # fmt: skip
        flow = {
            "flow_id": order_id, "flow": "order_to_fulfillment", "account_id": account_id, "fingerprint": "", "key": "",
            "initiator": "{}", "started_us": NOW - ago_s * S, "ended": ended, "priority": priority,
        }  # fmt: skip
        row = {
            "order_id": order_id, "account_id": account_id, "reference": facts.reference, "channel": channel,
            "status": status, "document": msgspec.json.encode(facts).decode(), "placed_us": NOW - ago_s * S,
            "updated_us": NOW,
        }  # fmt: skip
        self.connection.execute(sa.insert(flows), flow)
        self.connection.execute(sa.insert(orders), row)

    def did(
        self, order_id: str, position: int, operation: str, outcome: str, *, step: str = "", ago_s: int = 30
    ) -> None:
        row = {
            "flow_id": order_id, "position": position, "at_us": NOW - ago_s * S, "step": step or operation,
            "tier": "system", "api": "erp.v1", "operation": operation, "outcome": outcome, "detail": "",
            "duration_ms": 1,
        }  # fmt: skip
        self.connection.execute(sa.insert(timeline), row)

    def left(self, order_id: str, *, ago_s: int) -> None:
        row = {
            "event_id": f"evt-{order_id}", "type": "shipment.dispatched", "version": 1, "subject": order_id,
            "sequence": 1, "source": "/process", "at_us": NOW - ago_s * S, "data": "{}",
        }  # fmt: skip
        self.connection.execute(sa.insert(events), row)

    def exception(self, order_id: str, step: str, status: str) -> None:
        row: dict[str, Any] = {
            "exception_id": f"exc-{order_id}-{status}", "flow_id": order_id, "flow": "order_to_fulfillment",
            "account_id": "ACME", "queue": "invoices", "step": step, "kind": "refusal", "problem": "", "reason": "",
            "evidence": "{}", "choices": "[]", "status": status, "opened_us": NOW - 7 * S, "updated_us": NOW,
            "due_us": NOW,
        }  # fmt: skip
        self.connection.execute(sa.insert(exceptions), row)


@pytest.fixture
def rows(connection: sa.Connection) -> Rows:
    return Rows(connection)


def ids(found: list[Trouble]) -> list[str]:
    return [one.order.order_id for one in found]


def test_an_invoice_that_failed_is_trouble_until_it_is_posted(rows: Rows) -> None:
    rows.order("failed")
    rows.did("failed", 1, "post_invoice", "refused", ago_s=40)
    rows.did("failed", 2, "post_invoice", "failed", ago_s=20)
    rows.order("mended")
    rows.did("mended", 1, "post_invoice", "failed")
    rows.did("mended", 2, "post_invoice", "done")
    rows.order("partly")
    rows.did("partly", 1, "post_invoice", "done")
    rows.did("partly", 2, "post_invoice", "refused")
    rows.order("ended", ended=True)
    rows.did("ended", 1, "post_invoice", "refused")
    rows.order("not there yet")

    found = without_invoice(rows.connection, ALL)
    assert sorted(ids(found)) == ["failed", "partly"]
    assert {one.since_us for one in found if one.order.order_id == "failed"} == {NOW - 40 * S}


def test_an_exception_of_an_invoice_is_trouble_while_it_is_open(rows: Rows) -> None:
    for order_id, step, status in (
        ("open", "invoice", "open"), ("part", "invoice:2", "open"), ("settled", "invoice", "settled"),
        ("other", "ship", "open"),
    ):  # fmt: skip
        rows.order(order_id)
        rows.exception(order_id, step, status)
    found = without_invoice(rows.connection, ALL)
    assert sorted(ids(found)) == ["open", "part"]
    assert {one.since_us for one in found} == {NOW - 7 * S}


def test_a_channel_should_know_soon_that_the_goods_left(rows: Rows) -> None:
    long_ago, just_now = FRESH_S + 60, FRESH_S - 60
    for order_id, ago_s in (
        ("untold", long_ago),
        ("just left", just_now),
        ("told", long_ago),
        ("told before", long_ago),
    ):
        rows.order(order_id, channel_order_id="C-1")
        rows.did(order_id, 2, "get_shipment", "done", step="await_dispatch", ago_s=ago_s)
    rows.did("told", 3, "write_back_status", "done", ago_s=long_ago - 30)
    rows.did("told before", 1, "write_back_status", "done", ago_s=long_ago + 30)
    rows.order("left in parts", channel_order_id="C-1")
    rows.left("left in parts", ago_s=long_ago)
    rows.order("no channel")
    rows.did("no channel", 1, "get_shipment", "done", step="await_dispatch", ago_s=long_ago)
    rows.order("still there", channel_order_id="C-2")

    assert sorted(ids(not_refreshed(rows.connection, ALL, NOW))) == ["left in parts", "told before", "untold"]


def test_an_order_is_late_by_the_level_of_its_channel_and_priority(rows: Rows) -> None:
    rows.order("web", ago_s=HOUR_S + 60, status="allocated", channel="web_shop", sales_order_id=None)
    rows.order("portal", ago_s=HOUR_S + 60, status="allocated", sales_order_id=None)
    rows.order("urgent", ago_s=HOUR_S + 60, status="allocated", sales_order_id=None, priority=1)
    rows.order("on its way", ago_s=2 * DAY_S, status="shipped", channel="web_shop")
    rows.order("stands", ago_s=2 * DAY_S + 60, status="on_hold", channel="web_shop")
    rows.order("done", ago_s=30 * DAY_S, status="completed", ended=True)

    found = {one.order.order_id: one for one in late(rows.connection, ALL, NOW)}
    assert {(name, one.level, one.milestone) for name, one in found.items()} == {
        ("web", "web", "confirmed"),
        ("urgent", "urgent", "confirmed"),
        ("stands", "web", "shipped"),
    }
    assert found["web"].due_us == NOW - 60 * S


def test_trouble_is_told_oldest_first_after_a_place_and_of_some_accounts(rows: Rows) -> None:
    for number in range(450):
        rows.order(f"ord-{number:03}", ago_s=30 * DAY_S - number, account_id="ACME" if number % 2 else "GLOBEX")
    found = late(rows.connection, Which(account_ids=("ACME",), after=None, limit=220), NOW)
    assert [one.order.order_id for one in found] == [f"ord-{number:03}" for number in range(1, 440, 2)]
    last = found[-1].order
    after = (NOW - (30 * DAY_S - 439) * S, last.order_id)
    rest = late(rows.connection, Which(account_ids=("ACME",), after=after, limit=220), NOW)
    assert [one.order.order_id for one in rest] == [f"ord-{number:03}" for number in range(441, 450, 2)]


def test_every_order_has_a_level() -> None:
    assert level_of("whatever comes", 9).name == "standard"
    assert level_of("marketplace_north", 5).name == "marketplace"
    assert all(one.confirmed_s < one.shipped_s < one.completed_s for one in SERVICE_LEVELS)
    only_web = ServiceLevel(name="w", channels=("web_shop",), confirmed_s=1, shipped_s=2, completed_s=3)
    with pytest.raises(LookupError, match="no service level"):
        level_of("portal", 5, (only_web,))
