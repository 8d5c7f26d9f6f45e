"""The store stopped and killed under four processes: the declared mode holds, and every answer comes within 250 ms."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.governance.policies.rate_limit.limited_process import Report, Run
from tests.governance.policies.rate_limit.processes import reports

pytestmark = [pytest.mark.anyio, pytest.mark.proof, pytest.mark.timeout(300)]

BOUND_S = 0.25
PROCESSES, TASKS, BURST = 4, 32, 20_000
"""Calls for some six seconds, so that the store is admitting whenever it is hurt."""
OUTAGES = 2
SHARE = 0.01


async def _hurt(store: Any) -> None:
    """Well, stopped, well, killed (its keeper starts another), well: two seconds each."""
    await asyncio.sleep(2)
    store.freeze()
    await asyncio.sleep(2)
    store.thaw()
    await asyncio.sleep(2)
    store.kill()
    await asyncio.sleep(3)


async def _reports(store: Any, mode: str) -> tuple[list[Report], Counter[str], Counter[str]]:
    run = Run(
        socket=store.socket,
        limit=f"{BURST}/365d",
        tasks=TASKS,
        pause_s=0.02,
        on_store_failure=mode,
        local_share=SHARE,
    )
    found = await reports(run, PROCESSES, meanwhile=lambda: _hurt(store))
    with_store, without_store = Counter[str](), Counter[str]()
    for report in found:
        with_store.update(report.with_store)
        without_store.update(report.without_store)
    slowest_s = max(report.slowest_s for report in found)
    print(f"{mode}: {dict(with_store)} by the store, {dict(without_store)} without, slowest {slowest_s * 1000:.0f} ms")
    assert slowest_s < BOUND_S
    assert {report.last for report in found} <= {"admitted with store", "limited with store"}  # it came back by itself
    return found, with_store, without_store


def _admitted_by_the_store(with_store: Counter[str]) -> None:
    """Never more than the burst; fewer by the calls at most whose charge was kept and whose answer was lost."""
    assert with_store["admitted"] <= BURST
    assert with_store["limited"] == 0 or with_store["admitted"] >= BURST - OUTAGES * PROCESSES * TASKS
    assert set(with_store) <= {"admitted", "limited"}


async def test_closed_refuses(fragile_store: Any) -> None:
    _, with_store, without_store = await _reports(fragile_store, "closed")
    _admitted_by_the_store(with_store)
    assert set(without_store) == {"unavailable"}


async def test_open_admits(fragile_store: Any) -> None:
    _, with_store, without_store = await _reports(fragile_store, "open")
    _admitted_by_the_store(with_store)
    assert set(without_store) == {"admitted"}


async def test_local_admits_its_share(fragile_store: Any) -> None:
    found, with_store, without_store = await _reports(fragile_store, "local")
    _admitted_by_the_store(with_store)
    assert set(without_store) == {"admitted", "limited"}
    assert [report.without_store["admitted"] for report in found] == [int(BURST * SHARE)] * PROCESSES
