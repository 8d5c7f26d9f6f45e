"""One HTTP/1.1 connection: one exchange at a time, framed by llhttp, the parser of Node.js.

What breaks HTTP ends the connection, and so do a body above its bound, a silence above its bound, an answer that
begins unasked, and a caller that goes away: no answer can reach another's caller. A connection is used
again only after a whole answer that allows it. An answer without a length ends with its connection where
that is allowed; otherwise it can't be told from one that broke off, and is refused.

Standards: RFC 9112 §6.3 (message length), §9.3 (persistence); RFC 9110 §15.2 (1xx), §6.5 (trailers, left out).
"""

from __future__ import annotations

import asyncio
from typing import cast

import httptools
from msgspec import Struct

from governance.call.exchange import Answer
from governance.egress.failures import Broken, ExchangeFailed, TooSlow, Unreadable

FRAMING = frozenset({b"content-length", b"transfer-encoding"})
SAME_MOMENT_S = 0.0005
"""Timers of the loop may fire this much early."""


class Terms(Struct, frozen=True, kw_only=True):
    """What an answer may be."""

    most_bytes: int
    read_s: float = float("inf")
    """The longest silence, in seconds."""
    until_close: bool = False
    """Whether a body may end with the connection."""
    without_body: bool = False
    """The answer to HEAD."""


class Connection(asyncio.Protocol):
    """A live connection. ``exchange`` may be called while it is ``alive`` and no other is under way."""

    __slots__ = (
        "_answer", "_body", "_framed", "_head_done", "_headers", "_heard", "_kept", "_length", "_loop", "_parser", "_silent",
        "_terms", "_timer", "_transport", "_until", "idle_since",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Answer] | None = None
        self._terms = Terms(most_bytes=0)
        self._timer: asyncio.TimerHandle | None = None
        self._until = self._heard = self.idle_since = 0.0
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._length = 0
        self._head_done = self._framed = False
        self._silent = self._kept = True

    @property
    def alive(self) -> bool:
        """Whether another exchange can be made on it."""
        return self._kept and self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: the connection stands."""
        self._transport = cast("asyncio.Transport", transport)

    def exchange(self, request: bytes, timeout_s: float, terms: Terms) -> asyncio.Future[Answer]:
        """The answer to ``request``, which is sent at once, within ``timeout_s`` seconds.

        Raises:
            Broken, TooSlow, Unreadable: as the names say.
        """
        answer: asyncio.Future[Answer] = self._loop.create_future()
        if not self.alive:  # it ended in the moment between coming about and being used
            answer.set_exception(Broken("the connection was closed", silent=True))
            return answer
        self._answer = answer
        self._terms = terms
        self._silent = True
        self._heard = self._loop.time()
        self._until = self._heard + timeout_s
        self._timer = self._loop.call_at(min(self._until, self._heard + terms.read_s), self._look)
        if self._transport is not None:
            self._transport.write(request)
        return answer

    def close(self) -> None:
        """End the connection."""
        self._kept = False
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: the connection ended."""
        self._kept = False
        if exc is None and self._head_done and not self._framed and self._terms.until_close:
            self._complete()
        else:
            self._fail(Broken(str(exc or "the connection was closed"), silent=self._silent))

    def data_received(self, data: bytes) -> None:
        """Asyncio: bytes came in."""
        self._heard, self._silent = self._loop.time(), False
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(Unreadable(f"the answer breaks HTTP: {error}"))

    def on_message_begin(self) -> None:
        """Llhttp: an answer begins; one that nobody asked for is the last thing that is read."""
        if self._answer is None:
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Llhttp: one header of the answer, or one that trails its body."""
        if not self._head_done:
            lower = name.lower()
            self._headers.append((lower, value))
            if lower in FRAMING:
                self._framed = True

    def on_headers_complete(self) -> None:
        """Llhttp: the head is whole."""
        self._head_done = True
        if self._terms.without_body and self._parser.get_status_code() >= 200:
            self._kept = False  # the parser would take what comes next for the body
            self._complete()

    def on_body(self, body: bytes) -> None:
        """Llhttp: a piece of the body, without its framing."""
        self._length += len(body)
        if self._length > self._terms.most_bytes:
            self._fail(Unreadable(f"the answer is larger than {self._terms.most_bytes} bytes"))
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """Llhttp: the answer is whole; an informational one is only announced (RFC 9110 §15.2)."""
        if self._parser.get_status_code() < 200:
            self._headers, self._head_done, self._framed = [], False, False
            return
        self._kept = self._kept and self._parser.should_keep_alive()
        self._complete()

    def _complete(self) -> None:
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        answer = Answer(self._parser.get_status_code(), tuple(self._headers), body)
        waiting = self._release()
        if waiting is None or waiting.done():
            self.close()
        else:
            waiting.set_result(answer)

    def _look(self) -> None:
        due, now = min(self._until, self._heard + self._terms.read_s), self._loop.time()
        if now < due - SAME_MOMENT_S:
            self._timer = self._loop.call_at(due, self._look)
        else:
            self._fail(TooSlow("no whole answer came in time"))

    def _fail(self, failure: ExchangeFailed) -> None:
        waiting = self._release()
        self.close()
        if waiting is not None and not waiting.done():
            waiting.set_exception(failure)

    def _release(self) -> asyncio.Future[Answer] | None:
        if self._timer is not None:
            self._timer.cancel()
        waiting, self._answer, self._timer = self._answer, None, None
        self._headers, self._body, self._length = [], [], 0
        self._head_done = self._framed = False
        return waiting
