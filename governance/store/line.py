"""One connection to the store on which every call of an event loop shares the round trips.

Commands gather until the loop's next turn and leave in one write; replies come back in order
(RESP2, hiredis reader). Guarantees: a call ends within ``timeout_s`` of its write; no more than
``limit`` calls wait; after a timeout, a protocol error or a closed peer the line is lost as a
whole, every waiting call gets ``StoreUnavailable`` and no reply can reach the wrong caller.

One timer serves all calls: replies are in order, so only the oldest write can be late first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

import hiredis

from governance.store.failures import StoreError, StoreUnavailable, failure_of
from governance.store.script import Script

Retry = tuple[Script[Any], Sequence[bytes], Sequence[bytes]]
"""What to send again when the store has forgotten a script."""

GRACE_S = 0.02
"""When our own timer comes later than this, the loop stood still, not the store: look once more."""


class Line(asyncio.Protocol):
    """A live connection. ``lost`` resolves with the reason when it ends."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, *, timeout_s: float, limit: int, on_end: Callable[[Line], None]
    ) -> None:
        self._on_end = on_end
        self.lost: asyncio.Future[StoreUnavailable] = loop.create_future()
        self.hung = False
        """True when the line ended because the store did not answer in time."""
        self._loop = loop
        self._timeout_s = timeout_s
        self._limit = limit
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader()
        self._gathered: list[bytes] = []
        self._waiting: deque[tuple[asyncio.Future[Any], Retry | None]] = deque()
        self._sent = self._answered = 0
        self._writes: deque[tuple[int, float]] = deque()
        """Per write: the number of the last command in it, and when its answer is late."""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: the connection stands."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: the connection ended."""
        self._end(f"the store closed the connection{f': {exc}' if exc else ''}")

    def send(self, command: bytes, retry: Retry | None = None) -> asyncio.Future[Any]:
        """The reply to ``command``; it leaves with all others of this turn of the loop.

        Raises:
            StoreUnavailable: too many calls wait already, or the line is lost.
        """
        if len(self._waiting) >= self._limit:
            raise StoreUnavailable(f"{self._limit} calls wait for the store already")
        if self.lost.done():
            raise StoreUnavailable(str(self.lost.result()))
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((future, retry))
        if not self._gathered:
            self._loop.call_soon(self._flush)
        self._gathered.append(command)
        return future

    def close(self) -> None:
        """End the connection; waiting calls get ``StoreUnavailable``."""
        self._end("the connection to the store was closed")

    def forget(self) -> None:
        """Let go of a connection that belongs to the parent process after a fork, without touching it."""
        self._transport = None
        self._waiting.clear()
        self._gathered.clear()

    def _flush(self) -> None:
        gathered = self._gathered
        if not gathered or self._transport is None:
            return
        self._transport.write(b"".join(gathered))
        self._sent += len(gathered)
        gathered.clear()
        writes = self._writes
        while writes and writes[0][0] <= self._answered:
            writes.popleft()
        late_at = self._loop.time() + self._timeout_s
        writes.append((self._sent, late_at))
        if self._timer is None:
            self._timer = self._loop.call_at(late_at, self._watch, late_at)

    def data_received(self, data: bytes) -> None:
        """Asyncio: hand each reply to the call that has waited longest."""
        reader, waiting = self._reader, self._waiting
        try:
            reader.feed(data)
            while (reply := reader.gets()) is not False:
                future, retry = waiting.popleft()
                self._answered += 1
                if isinstance(reply, hiredis.ReplyError):
                    self._refuse(future, retry, reply)
                elif not future.done():  # else the caller went away
                    future.set_result(reply)
        except (hiredis.ProtocolError, IndexError) as error:
            self._end(f"the store broke the protocol: {error}")

    def _refuse(self, future: asyncio.Future[Any], retry: Retry | None, reply: Exception) -> None:
        if future.done():
            return
        if retry is not None and str(reply).startswith("NOSCRIPT"):
            self._send_again(future, retry)
            return
        failure: StoreError = failure_of(reply)
        future.set_exception(failure)
        if str(reply).startswith("READONLY"):  # a failover: the primary is elsewhere now
            self._end("the store became a replica")

    def _send_again(self, future: asyncio.Future[Any], retry: Retry) -> None:
        script, keys, arguments = retry
        self._waiting.append((future, None))
        if not self._gathered:
            self._loop.call_soon(self._flush)
        self._gathered.append(script.call_by_source(keys, arguments))

    def _watch(self, due: float) -> None:
        self._timer = None
        writes = self._writes
        while writes and writes[0][0] <= self._answered:
            writes.popleft()
        if not writes or self.lost.done():
            return
        now, late_at = self._loop.time(), writes[0][1]
        if late_at > now:
            self._timer = self._loop.call_at(late_at, self._watch, late_at)
        elif now - due > GRACE_S:
            self._timer = self._loop.call_at(now + GRACE_S, self._watch, now + GRACE_S)
        else:
            self.hung = True
            self._end(f"the store did not answer within {self._timeout_s * 1000:.0f} ms")

    def _end(self, reason: str) -> None:
        if self.lost.done():
            return
        self.lost.set_result(StoreUnavailable(reason))
        self._on_end(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()
        self._gathered.clear()
        while self._waiting:
            future, _ = self._waiting.popleft()
            if not future.done():
                future.set_exception(StoreUnavailable(reason))
