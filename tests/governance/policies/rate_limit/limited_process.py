"""One process of a gateway that only limits: the policy around a handler that does nothing, over a real store.

Started as a program with a ``Run`` as JSON. Says ``ready``, begins at the first line of its input, ends after its
calls or, where these are 0, at the second line, and writes a ``Report`` as JSON.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

sys.path.insert(0, str(Path(__file__).parents[4]))

from governance.call import Exchange, SystemClock
from governance.consumers.plans import Plan
from governance.contract.refusals import RateLimited, SystemUnavailable
from governance.policies.rate_limit import Enforcement, Quota, Settings
from governance.store import Store
from tests.governance.policies.conftest import Samples


class Run(Struct, frozen=True, kw_only=True):
    """What one process does."""

    socket: str
    limit: str
    calls: int = 0
    tasks: int = 16
    pause_s: float = 0.0
    on_store_failure: str = "closed"
    local_share: float = 0.25
    quota: int = 0
    """A month's, in a zone far from most; 0 for none."""


class Report(Struct, frozen=True, kw_only=True):
    """What it saw."""

    judged: list[tuple[int, int]]
    """Of every verdict of the store: its clock (µs) and whether it admitted."""
    with_store: dict[str, int]
    """Outcome to calls, of those that the store judged."""
    without_store: dict[str, int]
    slowest_s: float
    last: str
    """The outcome of the last call, and who judged it."""


class RecordingStore(Store):
    """Keeps what the store said."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.judged: list[tuple[int, int]] = []

    def run(self, script: Any, keys: Any, arguments: Any) -> Awaitable[Any]:
        return self._kept(super().run(script, keys, arguments))

    async def _kept(self, reply: Awaitable[Any]) -> Any:
        verdict = await reply
        self.judged.append((verdict[1], verdict[0]))
        return verdict


class OnePlan:
    """Everybody's."""

    def __init__(self, quota: int) -> None:
        quotas = (Quota(quota, "month", "Pacific/Kiritimati"),) if quota else ()
        self._plan = Plan(name="one", quotas=quotas)

    def plan_of(self, client_id: str) -> Plan:
        return self._plan


class Limited:
    """The policy under calls of one client."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._store = RecordingStore(run.socket)
        self._left = run.calls
        self._counted: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
        self._slowest_s = 0.0
        self._last = ""
        self.over = False
        limiting = Enforcement(
            msgspec.convert(
                {
                    "experience": run.limit,
                    "on_store_failure": run.on_store_failure,
                    "local_share": run.local_share,
                },
                Settings,
            ),
            self._store,
            SystemClock(),
            OnePlan(run.quota),
        )
        wrap = limiting.enforce(Samples().operation("get_thing"), "served")
        assert wrap is not None
        self._handler = wrap(_nothing)

    async def start(self) -> None:
        await self._store.start()

    async def work(self) -> Report:
        await asyncio.gather(*(self._task() for _ in range(self._run.tasks)))
        await self._store.close()
        with_store, without_store = (dict(self._counted[away]) for away in (False, True))
        return Report(
            judged=self._store.judged,
            with_store=with_store,
            without_store=without_store,
            slowest_s=self._slowest_s,
            last=self._last,
        )

    async def _task(self) -> None:
        samples = Samples()
        while not self.over and (self._left > 0 or not self._run.calls):
            self._left -= 1
            await self._call(samples.served("get_thing"))
            if self._run.pause_s:
                await asyncio.sleep(self._run.pause_s)

    async def _call(self, exchange: Exchange) -> None:
        began = time.monotonic()
        try:
            await self._handler(exchange)
            outcome = "admitted"
        except RateLimited:
            outcome = "limited"
        except SystemUnavailable:
            outcome = "unavailable"
        self._slowest_s = max(self._slowest_s, time.monotonic() - began)
        away = "rate_limit" in exchange.evidence
        self._counted[away][outcome] += 1
        self._last = f"{outcome} {'without' if away else 'with'} store"


async def _nothing(exchange: Exchange) -> None:
    return None


async def main(run: Run) -> None:
    limited = Limited(run)
    await limited.start()
    print("ready", flush=True)
    sys.stdin.readline()
    work = asyncio.create_task(limited.work())
    if not run.calls:
        await asyncio.to_thread(sys.stdin.readline)
        limited.over = True
    sys.stdout.buffer.write(msgspec.json.encode(await work))


if __name__ == "__main__":
    asyncio.run(main(msgspec.json.decode(sys.argv[1], type=Run)))
