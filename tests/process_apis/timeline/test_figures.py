"""Figures of processes for /metrics, against rows whose sums are known."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from governance.call import SystemClock
from governance.telemetry import CallMetrics
from process_apis.flow import FlowRuntime, FlowSettings
from process_apis.flow.tables import exceptions, flows, timeline
from process_apis.flow.timeline import instant
from process_apis.timeline.figures import SETTLED_US, ProcessFigures
from process_apis.timeline.migration import MIGRATIONS
from process_apis.timeline.sample import PART

pytestmark = pytest.mark.anyio
NOW = 1_700_000_000_000_000
S, MS = 1_000_000, 1_000


class Still(SystemClock):
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = instant(NOW)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[FlowRuntime]:
    runtime = FlowRuntime(FlowSettings(home=tmp_path, run=False), SystemClock())
    runtime.adopt(MIGRATIONS)
    await runtime.start()
    yield runtime
    await runtime.stop()


def ended(connection: sa.Connection, flow_id: str, at_us: int, took_ms: int = 200) -> None:
    """A flow of one step, which failed once, and its end."""
    row = {
        "flow_id": flow_id, "flow": "errand", "account_id": "ACME", "fingerprint": "", "key": flow_id,
        "initiator": "{}", "started_us": at_us - took_ms * MS, "ended": True, "outcome": "completed", "ended_us": at_us,
    }  # fmt: skip
    done: dict[str, Any] = {
        "flow_id": flow_id, "tier": "system", "api": "a.v1", "operation": "o", "detail": "", "duration_ms": 10
    }  # fmt: skip
    entries = [
        {**done, "position": 1_000, "at_us": at_us - took_ms * MS, "step": "buy", "outcome": "failed"},
        {**done, "position": 1_001, "at_us": at_us - 20 * MS, "step": "buy", "outcome": "done"},
        {**done, "position": 1_002, "at_us": at_us, "step": "completed", "outcome": "completed"},
    ]
    connection.execute(sa.insert(flows), row)
    connection.execute(sa.insert(timeline), entries)


def stuck(connection: sa.Connection, name: str, due_us: int, settled_us: int | None = None) -> None:
    row = {
        "exception_id": name, "flow_id": name, "flow": "errand", "account_id": "ACME", "queue": "stock", "step": "buy",
        "kind": "refusal", "problem": "", "reason": "", "evidence": "{}", "choices": "[]",
        "status": "settled" if settled_us else "open", "opened_us": NOW - 60 * S, "updated_us": NOW, "due_us": due_us,
        "settled_us": settled_us,
    }  # fmt: skip
    connection.execute(sa.insert(exceptions), row)


def lines(figures: ProcessFigures) -> set[str]:
    metrics = CallMetrics()
    metrics.include(figures)
    return {line for line in metrics.text().decode().splitlines() if line.startswith("tiergate_")}


async def test_what_ended_is_counted_once_and_what_waits_is_told(runtime: FlowRuntime) -> None:
    clock = Still()
    figures = ProcessFigures(runtime, clock)

    def happened(connection: sa.Connection) -> None:
        ended(connection, "before", NOW - S)
        ended(connection, "one", NOW + S)
        ended(connection, "two", NOW + 2 * S, took_ms=2_000)
        stuck(connection, "settled", NOW, NOW + 3 * S)
        stuck(connection, "overdue", NOW - S)
        stuck(connection, "open", NOW + 3_600 * S)

    await runtime.write(happened)
    clock.at = instant(NOW + 2 * S + SETTLED_US)
    for _ in range(2):
        await figures.look()
    told = lines(figures)
    assert 'tiergate_flows_ended_total{flow="errand",outcome="completed"} 2.0' in told
    assert 'tiergate_step_failures_total{flow="errand",step="buy"} 2.0' in told
    assert 'tiergate_step_seconds_bucket{flow="errand",le="0.1",step="buy"} 0.0' in told
    assert 'tiergate_step_seconds_bucket{flow="errand",le="0.5",step="buy"} 1.0' in told
    assert 'tiergate_step_seconds_count{flow="errand",step="buy"} 2.0' in told
    assert 'tiergate_step_seconds_sum{flow="errand",step="buy"} 2.2' in told
    assert 'tiergate_exceptions_open{queue="stock"} 2.0' in told
    assert 'tiergate_exceptions_overdue{queue="stock"} 1.0' in told
    assert not any(line.startswith("tiergate_exception_resolution_seconds_count") for line in told)

    clock.at += timedelta(seconds=2)
    await figures.look()
    assert 'tiergate_exception_resolution_seconds_sum{queue="stock"} 63.0' in lines(figures)


async def test_many_that_ended_at_once_are_counted_each_once(runtime: FlowRuntime) -> None:
    clock = Still()
    figures = ProcessFigures(runtime, clock)

    def happened(connection: sa.Connection) -> None:
        for number in range(PART + 7):
            ended(connection, f"errand-{number}", NOW + S)

    await runtime.write(happened)
    clock.at = instant(NOW + 10 * S)
    await figures.look()
    await figures.look()
    assert f'tiergate_flows_ended_total{{flow="errand",outcome="completed"}} {PART + 7}.0' in lines(figures)
