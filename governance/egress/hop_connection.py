"""One HTTP/1.1 connection to another process of the gateway: one exchange at a time, framed by llhttp.

Answers must say their length (``Content-Length`` or chunked): our own server always does, and an
answer that ends with its connection can't be told from one that broke off. Anything else that
breaks HTTP ends the connection; a connection is used again only after a whole answer that allows it.

Standards: RFC 9112 §6.3 (message length), §9.3 (persistence), §9.5 (time-outs); RFC 9110 §15.2 (1xx).
"""

from __future__ import annotations

import asyncio
from typing import cast

import httptools

from governance.call.exchange import Answer
from governance.egress.failures import Broken, ExchangeFailed, TooSlow, Unreadable

MOST_BYTES = 64 * 1024 * 1024
"""No answer of one tier to another is larger."""


class HopConnection(asyncio.Protocol):
    """A live connection. ``exchange`` may be called while ``idle``."""

    __slots__ = (
        "_answer", "_body", "_headers", "_kept", "_length", "_loop", "_parser", "_timer", "_transport", "idle_since",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Answer] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._length = 0
        self._kept = True
        self.idle_since = 0.0

    @property
    def alive(self) -> bool:
        """Whether another exchange can be made on it."""
        return self._kept and self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: the connection stands."""
        self._transport = cast("asyncio.Transport", transport)

    def exchange(self, request: bytes, timeout_s: float) -> asyncio.Future[Answer]:
        """The answer to ``request``, which is sent at once. A caller that stops waiting ends the connection.

        Raises:
            Broken, TooSlow, Unreadable: as the names say.
        """
        answer = self._answer = self._loop.create_future()
        self._timer = self._loop.call_later(timeout_s, self._too_slow, timeout_s)
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
        silent = not self._headers and not self._body
        self._fail(Broken(str(exc or "the connection was closed"), silent=silent))

    def data_received(self, data: bytes) -> None:
        """Asyncio: bytes came in."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(Unreadable(f"the answer breaks HTTP: {error}"))

    def on_message_begin(self) -> None:
        """Llhttp: an answer begins; one that nobody asked for is the last thing that is read."""
        if self._answer is None:
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Llhttp: one header of the answer."""
        self._headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        """Llhttp: a piece of the body, without its framing."""
        self._length += len(body)
        if self._length > MOST_BYTES:
            self._fail(Unreadable(f"the answer is larger than {MOST_BYTES} bytes"))
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """Llhttp: the answer is whole; an informational one is only announced (RFC 9110 §15.2)."""
        status = self._parser.get_status_code()
        if status < 200:
            self._headers = []
            return
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        answer = Answer(status, tuple(self._headers), body)
        self._kept = self._kept and self._parser.should_keep_alive()
        waiting = self._release()
        if waiting is None or waiting.done():
            self.close()
        else:
            waiting.set_result(answer)

    def _too_slow(self, timeout_s: float) -> None:
        self._fail(TooSlow(f"no whole answer within {timeout_s:g} s"))

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
        return waiting
