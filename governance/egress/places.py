"""Places at a vendor: how many calls may be under way at a time, and in any span of time, over all processes.

Guarantees, while the store answers:

- At most ``concurrency`` places are held over all processes. A place is leased: a process that is killed frees
  its own when the lease ends. What is given back is one certain place (process and fence), so a late
  return never frees another's; a holder ends its call before its lease does.
- In any span of ``quota_window_s`` at most ``quota_calls`` places are given (a span is judged to a twentieth,
  on the safe side).
- Priorities share by weight (8 : 4 : 1): a flood of low ones delays a high one by the next place that falls free,
  and none is starved. Within a priority who came first is first, over processes.
- Waiting is bounded in number, for each priority on its own, and in time.

When the store is away nobody gets a place until every lease that others may hold has ended; from then on
each process goes on with ``concurrency_without_store`` places of its own. When it is back these may
stand beside leased ones for as long as a call takes. A vendor with a quota is not called meanwhile,
because nothing can be counted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from secrets import token_hex

from msgspec import Struct

from governance.contract.refusals import SystemUnavailable
from governance.egress.settings import PRIORITIES, Priority, VendorSettings
from governance.store import Script, Store, StoreError

PLACES = Script[list[int]].load("governance.egress", "places.lua")

POLL_S = 0.02
"""How soon a process that waits looks again; places that fall free in it are seen at once."""
BELIEVED_MS = 300
"""How long others keep a turn free for a process that waits and was not heard of."""
MARGIN_S = 0.5
"""How much longer a lease is than the call that it is for."""
SILENCE_S = 1.0
"""Failures of the store that are further apart are two, not one that lasts."""
CLASS: dict[Priority, int] = {priority: at for at, priority in enumerate(PRIORITIES)}


class Place(Struct, frozen=True):
    """A call may be under way. ``fence`` is 0 for a place that was taken while the store was away."""

    fence: int


class Places:
    """The places of one vendor, as this process sees them."""

    def __init__(self, vendor: str, settings: VendorSettings, store: Store | None) -> None:
        self._settings = settings
        self._store = store
        if store is not None:
            store.prepare(PLACES)
        self._process = token_hex(8)
        names = ("held", "waiting", "turns", "quota")
        self._keys = [f"egress:{{{vendor}}}:{name}".encode() for name in names]
        self._waiting: tuple[deque[tuple[float, asyncio.Future[Place]]], ...] = tuple(deque() for _ in PRIORITIES)
        self._returned: list[bytes] = []
        self.held = 0
        self._changed = asyncio.Event()
        self._server: asyncio.Task[None] | None = None
        self._lease_s = settings.total_timeout_s + MARGIN_S
        self._away_since = self._last_failure = float("-inf")

    @property
    def limited(self) -> bool:
        """Whether there is anything to wait for."""
        return bool(self._settings.concurrency or self._settings.quota_calls)

    async def take(self, priority: Priority, within_s: float) -> Place:
        """A place, after at most ``within_s`` seconds and ``queue_wait_s``.

        Raises:
            SystemUnavailable: too many wait already, none fell free in time, or the store is away and there is a quota.
        """
        loop = asyncio.get_running_loop()
        queue = self._waiting[CLASS[priority]]
        if len(queue) >= self._settings.queue:
            raise SystemUnavailable(detail="Too many calls wait for a system behind the gateway.")
        turn: asyncio.Future[Place] = loop.create_future()
        waiter = (loop.time(), turn)
        queue.append(waiter)
        self._wake(loop)
        try:
            async with asyncio.timeout(min(within_s, self._settings.queue_wait_s)):
                return await turn
        except TimeoutError:
            raise SystemUnavailable(detail="No place at a system behind the gateway fell free in time.") from None
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.give_back(turn.result())  # it was granted in the moment in which its caller went away
            raise
        finally:
            if turn.cancelled():
                with suppress(ValueError):
                    queue.remove(waiter)

    def give_back(self, place: Place) -> None:
        """End a call's place."""
        self.held -= 1
        if place.fence:
            self._returned.append(f"{self._process}:{place.fence}".encode())
        self._wake(asyncio.get_running_loop())

    async def stop(self) -> None:
        """Give everything back that is held, and end."""
        if self._server is not None:
            self._server.cancel()
            with suppress(asyncio.CancelledError):
                await self._server
        with suppress(StoreError):
            if self._returned:
                await self._ask()

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        self._changed.set()
        if self._server is None or self._server.done():
            self._server = loop.create_task(self._serve(), name="egress places")

    async def _serve(self) -> None:
        while self._returned or any(self._waiting):
            self._changed.clear()
            try:
                pause_s = await self._ask()
            except StoreError:
                self._returned.clear()  # their leases end by themselves
                self._serve_without_store(asyncio.get_running_loop().time())
                pause_s = POLL_S
            if not any(self._waiting):
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._changed.wait()

    async def _ask(self) -> float:
        """Give back and take as many places as there are; seconds until it is worth asking again."""
        settings = self._settings
        if self._store is None:
            raise StoreError("there is no store")
        now = asyncio.get_running_loop().time()
        returned, self._returned = self._returned, []
        arguments = [
            self._process.encode(),
            b"%d" % settings.concurrency,
            b"%d" % (self._lease_s * 1000),
            b"%d" % settings.quota_calls,
            b"%d" % (settings.quota_window_s * 1000),
            b"%d" % BELIEVED_MS,
        ]
        for queue in self._waiting:
            waited_ms = (now - queue[0][0]) * 1000 if queue else 0
            arguments += [b"%d" % len(queue), b"%d" % waited_ms]
        quota_ms, *granted = await self._store.run(PLACES, self._keys, arguments + returned)
        self._last_failure = float("-inf")
        for priority, fence in zip(granted[::2], granted[1::2], strict=True):
            self._hand_over(self._waiting[priority - 1], Place(fence))
        return max(POLL_S, min(quota_ms / 1000, 1.0))

    def _serve_without_store(self, now: float) -> None:
        if now - self._last_failure > SILENCE_S:  # nobody looked meanwhile
            self._away_since = now
        self._last_failure = now
        if self._settings.quota_calls:
            away = SystemUnavailable(detail="The quota of a system behind the gateway can't be judged right now.")
            for queue in self._waiting:
                while queue:
                    _, turn = queue.popleft()
                    if not turn.done():
                        turn.set_exception(away)
            return
        if self._store is not None and now - self._away_since < self._lease_s:
            return
        for queue in self._waiting:
            while queue and self.held < self._settings.concurrency_without_store:
                self._hand_over(queue, Place(0))

    def _hand_over(self, queue: deque[tuple[float, asyncio.Future[Place]]], place: Place) -> None:
        self.held += 1
        while queue:
            _, turn = queue.popleft()
            if not turn.done():
                turn.set_result(place)
                return
        self.give_back(place)  # whoever waited has gone
