"""Streams as they are served: server-sent events over one answer that goes on.

Guarantees: what the operation gives is sent in order, each item with its id, so that a client that
comes back with ``Last-Event-ID`` can be told what it missed. A stream that has nothing to say sends a
comment every ``stream_heartbeat_s``. It ends when the client goes, when its token expires, when the operation
is gone, when its client does not read for ``SLOW_S``, after ``Prefer: wait`` seconds where the client says so,
and at once when the process drains. One client has at most ``streams_per_client`` open; what waits for a slow one is bounded
by whoever gives the items, and by the connection.

Standard: HTML Living Standard §9.2 (server-sent events: §9.2.5 parsing, §9.2.6 interpreting, §9.2.7 authoring notes).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from governance.bindings.execution import unexpected
from governance.bindings.rendering import encoder
from governance.call.clock import Clock
from governance.call.exchange import Answer, Exchange, Handler, Receive, Send, Streamed, Wrap
from governance.contract.operation import Operation
from governance.contract.problems import Problem, Violation
from governance.contract.refusals import InvalidParameters, RateLimited
from governance.contract.streaming import Stream

EVENT_STREAM = b"text/event-stream"
HEADERS = ((b"content-type", EVENT_STREAM), (b"x-accel-buffering", b"no"))
"""The second keeps proxies of the nginx kind from holding events back."""
FIRST = b"retry: 2000\n\n"
"""How long a client waits before it comes back, milliseconds."""
HEARTBEAT = b":\n\n"
SLOW_S = 30.0
LAST_WORDS_S = 0.2
AT_HAND_S = 0.02
"""For a hop: what comes later than this after an item is told by its next stream."""
LONGEST_ID = 200
END = object()
log = logging.getLogger("tiergate.streams")

_open: dict[asyncio.AbstractEventLoop, dict[OpenStream, str]] = {}


def end_streams() -> None:
    """End every stream of this event loop: their clients come back, to whoever answers then."""
    for stream in tuple(_open.get(asyncio.get_running_loop(), ())):
        stream.end()


def streams_open() -> int:
    """How many streams this event loop serves."""
    return len(_open.get(asyncio.get_running_loop(), ()))


def frame(item: Any) -> bytes:
    """An item as one event: its id, and its JSON as one line of data.

    Raises:
        ValueError: its id can't stand in a stream (§9.2.5: no line break; §9.2.6: no NULL).
    """
    item_id: str = item.id
    if not item_id.isprintable():
        raise ValueError(f"the id {item_id!r} can't stand in an event stream")
    return b"id: %b\ndata: %b\n\n" % (item_id.encode(), encoder.encode(item))


def last_event_id(headers: dict[bytes, bytes]) -> str | None:
    """The id after which the client goes on.

    Raises:
        InvalidParameters: it is no text, or too long.
    """
    value = headers.get(b"last-event-id")
    if not value:
        return None
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = ""
    if not text or len(text) > LONGEST_ID:
        raise InvalidParameters(
            (Violation(header="Last-Event-ID", detail="must be the id of an event of this stream"),)
        )
    return text


def encode_stream(operation: Operation, clock: Clock, heartbeat_s: float, per_client: int) -> Wrap:
    """The innermost stage of the served binding for an operation that streams."""

    def wrap(inner: Handler) -> Handler:
        async def encode(exchange: Exchange) -> Answer:
            client = exchange.under.principal.client_id
            streams = _open.setdefault(asyncio.get_running_loop(), {})
            if sum(one == client for one in streams.values()) >= per_client:
                exchange.response_headers.append((b"retry-after", b"5"))
                raise RateLimited(detail=f"A client has at most {per_client} streams open at once in a process.")
            relayed = exchange.under.principal.acting_api is not None
            opened = OpenStream(operation, clock, heartbeat_s, _ends_at(exchange, clock), brief=relayed)
            streams[opened] = client
            try:
                opened.items = await inner(exchange)
            except BaseException:
                await opened.close()
                raise
            return Streamed(200, HEADERS, feed=opened)

        return encode

    return wrap


def _ends_at(exchange: Exchange, clock: Clock) -> float:
    """The monotonic second at which the stream is over: the token's end, or as long as the client wants it."""
    ends_at = float("inf")
    expires_at = exchange.under.principal.expires_at
    if expires_at:
        ends_at = clock.monotonic() + expires_at - clock.now().timestamp()
    if b"prefer" in exchange.served.headers and exchange.under.wait_s:
        ends_at = min(ends_at, clock.monotonic() + exchange.under.wait_s)
    return ends_at


class OpenStream:
    """One stream on its way to one client."""

    def __init__(self, operation: Operation, clock: Clock, heartbeat_s: float, ends_at: float, *, brief: bool) -> None:
        self._lifecycle = operation.lifecycle
        self._name = operation.id
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._ends_at = ends_at
        self._brief = brief
        """It ends when it has told something and has no more at hand; whoever relays it opens the next."""
        self._ending: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.items: Stream[Any] | None = None

    def end(self) -> None:
        """Let it end as soon as it can."""
        if not self._ending.done():
            self._ending.set_result(None)

    async def close(self) -> None:
        """Give back what it holds."""
        _open.get(asyncio.get_running_loop(), {}).pop(self, None)
        if self.items is not None:
            await self.items.close()

    async def send_to(self, receive: Receive, send: Send) -> None:
        """Send what happens until it is over; what it holds is given back then."""
        gone = asyncio.ensure_future(_gone(receive))
        try:
            if await self._sent(send, FIRST, gone) and await self._follow(send, gone):
                last = asyncio.ensure_future(send({"type": "http.response.body", "body": b"", "more_body": False}))
                await asyncio.wait({last, gone}, timeout=LAST_WORDS_S, return_when=asyncio.FIRST_COMPLETED)
                await _dropped(last)
        finally:
            await _dropped(gone)
            await self.close()

    async def _follow(self, send: Send, gone: asyncio.Future[None]) -> bool:
        """Send item after item; whether the client is still there at the end."""
        items = aiter(self.items) if self.items is not None else None
        coming: asyncio.Future[Any] | None = None
        told = False
        try:
            while items is not None and not self._over:
                coming = coming or asyncio.ensure_future(_next(items))
                done_soon = self._brief and told
                wait_s = min(self._heartbeat_s, self._ends_at - self._clock.monotonic())
                await self._until(coming, gone, AT_HAND_S if done_soon else wait_s)
                chunk: bytes | None = HEARTBEAT
                if coming.done():
                    chunk, coming, told = self._chunk(coming), None, True
                elif self._over or done_soon:
                    break
                if chunk is None:
                    break
                if not await self._sent(send, chunk, gone):
                    return False
            return not gone.done()
        finally:
            if coming is not None:
                await _dropped(coming)

    @property
    def _over(self) -> bool:
        clock = self._clock
        return self._ending.done() or clock.monotonic() >= self._ends_at or self._lifecycle.gone(clock.now())

    async def _until(self, work: asyncio.Future[Any], gone: asyncio.Future[None], seconds: float) -> None:
        those = {work, gone, self._ending}
        await asyncio.wait(those, timeout=max(seconds, 0.0), return_when=asyncio.FIRST_COMPLETED)

    async def _sent(self, send: Send, chunk: bytes, gone: asyncio.Future[None]) -> bool:
        """Send a piece; False where the client is gone or does not read."""
        if gone.done():
            return False
        sending = asyncio.ensure_future(send({"type": "http.response.body", "body": chunk, "more_body": True}))
        await self._until(sending, gone, SLOW_S)
        if not sending.done():
            await _dropped(sending)
            return False
        return sending.exception() is None  # a server that lost the client raises

    def _chunk(self, coming: asyncio.Future[Any]) -> bytes | None:
        """The next piece, or None where there is none any more."""
        try:
            item = coming.result()
            return None if item is END else frame(item)
        except Problem as problem:  # such as a database that is away: the client comes back
            log.warning("%s: a stream ended: %s", self._name, problem.detail or problem.title)
        except Exception as error:  # noqa: BLE001 - the answer began, so the log is all that is left to tell
            unexpected.error("%s: a stream failed", self._name, exc_info=error)
        return None


async def _next(items: AsyncIterator[Any]) -> Any:
    return await anext(items, END)


async def _gone(receive: Receive) -> None:
    """Return when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _dropped(task: asyncio.Future[Any]) -> None:
    """Cancel a task, wait for its end, and leave its outcome."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
