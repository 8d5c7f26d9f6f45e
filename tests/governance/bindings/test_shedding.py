"""What a process can't answer in time it refuses at once; what it has begun it finishes."""

from __future__ import annotations

import asyncio

import pytest

from governance.bindings.edge import Edge
from governance.bindings.shedding import BEAT_S, LAGGING_FROM, Shedding, SheddingLimits
from governance.call import ManualClock
from governance.telemetry import CallMetrics
from tests.governance.bindings.sample_gateway import LIMITS, SHELVES, ask, assemble, shelves_of

pytestmark = pytest.mark.anyio
KEY = {"Idempotency-Key": "k"}


@pytest.mark.rule("RFC 9110 §15.6.4", "503 of an overloaded process says when to come back")
async def test_above_the_bound_a_request_is_refused_at_once_and_nothing_is_done() -> None:
    assembly = assemble()
    shelves = shelves_of(assembly)
    edge = Edge(assembly.routes, LIMITS, shedding=SheddingLimits(most_in_flight=1))
    first = asyncio.create_task(ask(edge, "POST", f"{SHELVES}/books/slow/bind", headers=KEY))
    await shelves.binding.wait()
    refused = await ask(edge, "DELETE", f"{SHELVES}/books/b1")
    document = refused.problem(503, "overloaded")
    assert document["retryable"] is True
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["cache-control"] == "no-store"
    assert (shelves.removed, edge.shedding.shed) == ([], 1)
    metrics = CallMetrics()
    metrics.include(edge.shedding)
    assert b"tiergate_requests_shed_total 1.0" in metrics.text()
    assert b"tiergate_requests_in_flight 1.0" in metrics.text()
    shelves.bound.set()
    assert (await first).status == 202
    assert (await ask(edge, "DELETE", f"{SHELVES}/books/b1")).status == 204
    assert edge.shedding.in_flight == 0


async def test_a_caller_that_goes_away_leaves_its_place_to_another() -> None:
    assembly = assemble()
    edge = Edge(assembly.routes, LIMITS, shedding=SheddingLimits(most_in_flight=1))
    gone = asyncio.create_task(ask(edge, "GET", f"{SHELVES}/books/slow"))
    async with asyncio.timeout(30):
        while edge.shedding.in_flight == 0:
            await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert (await ask(edge, "GET", f"{SHELVES}/books/b1")).status == 200


@pytest.mark.parametrize(
    ("in_flight", "late_s", "overloaded"),
    [
        (LAGGING_FROM, 0.51, True),
        (LAGGING_FROM, 0.49, False),
        (LAGGING_FROM - 1, 60.0, False),  # one long computation is no crowd
        (1_001, 0.0, True),
        (1_000, 0.0, False),
    ],
)
async def test_a_late_beat_counts_while_many_wait(in_flight: int, late_s: float, overloaded: bool) -> None:
    clock = ManualClock()
    shedding = Shedding(SheddingLimits(), clock.monotonic)
    await shedding.start()
    shedding.in_flight = in_flight
    now_s = clock.monotonic() + BEAT_S + late_s
    assert shedding.overloaded(now_s) is overloaded
    await shedding.stop()
    shedding.in_flight = LAGGING_FROM
    assert not shedding.overloaded(now_s), "what is not measured is not late"
