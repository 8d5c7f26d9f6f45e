"""The sample that measures are made of, the history of a flow, and what waits, on both databases."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from process_apis.exceptions.finding import Wanted, find, loads, one
from process_apis.exceptions.migration import MIGRATIONS as EXCEPTION_TABLES
from process_apis.exceptions.tables import exception_deeds
from process_apis.exceptions.tables import metadata as exception_tables
from process_apis.flow.tables import exceptions, flows, timeline
from process_apis.timeline.history import history_of
from process_apis.timeline.sample import Period, facts_of, opened_in, started_in

S = 1_000_000
ALL = Period(since_us=0, until_us=100 * S, now_us=100 * S)


def happened(connection: sa.Connection) -> None:
    """Three flows, one of them stuck and one made in place of another; two exceptions."""
    for number, (flow_id, parent_id) in enumerate((("f-1", ""), ("f-2", ""), ("f-3", "f-1"))):
        flow = {
            "flow_id": flow_id, "flow": "errand", "account_id": "ACME", "fingerprint": "", "key": flow_id,
            "initiator": '{"subject":"s","client_id":"c","operation_id":"o","at":"2026-01-01T00:00:00Z"}',
            "started_us": number * S, "ended": number > 0, "outcome": "completed" if number else "",
            "parent_id": parent_id,
        }  # fmt: skip
        done: dict[str, Any] = {
            "flow_id": flow_id, "position": 1_000, "at_us": number * S, "step": "buy", "tier": "system", "api": "a.v1",
            "operation": "o", "outcome": "done", "detail": "", "duration_ms": 10,
        }  # fmt: skip
        connection.execute(sa.insert(flows), flow)
        connection.execute(sa.insert(timeline), done)
    for number, settled_us in enumerate((None, 9 * S)):
        row = {
            "exception_id": f"x-{number}", "flow_id": "f-1", "flow": "errand", "account_id": "ACME", "queue": "stock",
            "step": "buy", "kind": "refusal", "problem": "", "reason": "", "evidence": "{}", "choices": "[]",
            "status": "settled" if settled_us else "open", "opened_us": number * S, "updated_us": 0, "due_us": 5 * S,
            "settled_us": settled_us,
        }  # fmt: skip
        connection.execute(sa.insert(exceptions), row)


def test_flows_and_exceptions_of_a_time(connection: sa.Connection) -> None:
    happened(connection)
    some = started_in(connection, ALL, "errand")
    assert [one.flow_id for one in some] == ["f-3", "f-2", "f-1"]
    facts = facts_of(connection, some, ALL)
    assert [(fact.outcome, fact.exceptions) for fact in facts] == [("completed", 0), ("completed", 0), ("", 2)]
    assert started_in(connection, Period(since_us=S, until_us=2 * S, now_us=0), None) == [some[1]]
    opened = opened_in(connection, ALL, "stock", "errand")
    assert [(fact.opened_us, fact.settled_us) for fact in opened] == [(S, 9 * S), (0, None)]
    assert opened_in(connection, ALL, "credit", None) == []


def test_the_history_of_a_flow_tells_its_kin(connection: sa.Connection) -> None:
    happened(connection)
    found = history_of(connection, "f-1")
    assert found is not None
    assert [(kin.row.flow_id, kin.relation) for kin in found.kin] == [("f-3", "child")]
    assert [row.exception_id for row in found.exceptions] == ["x-0", "x-1"]
    assert history_of(connection, "f-9") is None


def test_what_waits_is_counted_and_found(connection: sa.Connection) -> None:
    assert EXCEPTION_TABLES.head == "0001"
    exception_tables.create_all(connection)
    happened(connection)
    deed = {"exception_id": "x-0", "number": 1, "at_us": 0, "deed": "assigned", "by": "b", "detail": "", "key": ""}
    connection.execute(sa.insert(exception_deeds), deed)
    stock = next(load for load in loads(connection, 6 * S) if load.queue == "stock")
    assert (stock.open, stock.unassigned, stock.overdue, stock.escalated, stock.next_due_us) == (1, 1, 1, 0, 5 * S)
    (row,) = find(connection, Wanted(status="open", account_ids=("ACME",), queue="stock"), (0, ""), 10)
    assert (row.exception_id, row.revision) == ("x-0", 1)
    assert find(connection, Wanted(), (5 * S, "x-0"), 10)[0].exception_id == "x-1"
    assert one(connection, "x-9") is None
