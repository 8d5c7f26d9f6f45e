"""One retry budget for all tiers: three processes of the gateway over HTTP, and everything below them fails."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from governance.bindings.assembly import Assembly
from governance.call import SystemClock
from governance.egress import Egress
from governance.egress.breaker import BreakerSettings
from tests.governance.bindings.sample_apis import Book
from tests.governance.bindings.sample_gateway import ask, assemble, edge_of, shelves_of
from tests.governance.egress.conftest import IMPATIENT, Pauses
from tests.governance.egress.vendor import Asked, Behaviour, Vendor, answering, hanging_up, in_turn, raw_answer

pytestmark = pytest.mark.anyio
PATIENT = msgspec.structs.replace(IMPATIENT, breaker=BreakerSettings(least=1_000_000))
"""A breaker would spare the vendor most of it."""
ELSEWHERE = "/experience/counter/v1/books/elsewhere"
BOOK = b'{"book_id":"b","title":"t","copies":1,"account_id":"A"}'


def placed(tier: str, egress: Egress, below: dict[str, str]) -> Assembly:
    """The process of one tier; what is below answers at an address."""
    placement: Any = below
    return assemble(tiers=frozenset({tier}), placement=placement, client=egress.hops, clock=SystemClock())


def process(assembly: Assembly) -> Vendor:
    """The process of one tier as an HTTP server."""
    edge = edge_of(assembly)

    async def serve(asked: Asked, writer: asyncio.StreamWriter) -> None:
        headers = {name: value for name, value in asked.headers.items() if name not in ("host", "content-length")}
        reply = await ask(edge, asked.method, asked.target, headers=headers)
        writer.write(raw_answer(reply.status, reply.body, reply.headers))

    return Vendor(serve)


class Chain:
    """A vendor, and the processes of three tiers over it, each with a way out of its own."""

    def __init__(self, vendor: Vendor, pauses: Pauses) -> None:
        self.egresses = [Egress(pause=pauses) for _ in range(3)]
        self.vendor = vendor
        self._client = self.egresses[0].vendor("erp", PATIENT)

    async def look(self) -> Book:
        return (await self._client.request("GET", f"{self.vendor.url}/")).read(Book)

    async def statuses(self, calls: int, at_once: int = 20) -> list[int]:
        """What as many callers of the uppermost tier are answered."""
        below, middle, above = self.egresses
        shelves = placed("system", below, {})
        shelves_of(shelves).elsewhere["elsewhere"] = self.look
        found: list[int] = []
        for egress in self.egresses:
            await egress.start()
        async with process(shelves) as system, process(placed("process", middle, {"system": system.url})) as loans:
            edge = edge_of(placed("experience", above, {"process": loans.url}))

            async def caller() -> None:
                found.extend([(await ask(edge, "GET", ELSEWHERE)).status for _ in range(calls // at_once)])

            await asyncio.gather(*(caller() for _ in range(at_once)))
            assert [len(system.asked), len(loans.asked)] == [calls, calls], "a problem is not asked again"
        for egress in self.egresses:
            await egress.stop()
        return found


@pytest.mark.parametrize("trouble", [hanging_up, answering(503)])
async def test_a_thousand_calls_over_three_tiers_are_eleven_hundred_attempts_at_most(
    trouble: Behaviour, pauses: Pauses
) -> None:
    async with Vendor(trouble) as vendor:
        assert set(await Chain(vendor, pauses).statuses(1_000)) <= {503, 504}  # 504: a busy machine ate its deadline
        assert 1_050 < len(vendor.asked) <= 1_100


async def test_a_retry_that_came_from_the_uppermost_tier_helps_below(pauses: Pauses) -> None:
    """One failure after twenty calls that earned two retries."""
    async with Vendor(in_turn(*(answering(200, BOOK) for _ in range(20)), hanging_up, answering(200, BOOK))) as vendor:
        assert await Chain(vendor, pauses).statuses(40, at_once=1) == [200] * 40
        assert len(vendor.asked) == 41
