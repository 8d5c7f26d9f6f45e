"""The connections to one origin: as many as are allowed, each used again while it is fresh. TLS is verified."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Mapping
from urllib.parse import urlsplit

from aiohappyeyeballs import start_connection  # pyright: ignore[reportUnknownVariableType] - addresses are tuples of anything

from governance.call.exchange import Answer
from governance.egress.connection import Connection, Terms
from governance.egress.failures import NotConnected

IDLE_S = 15.0
"""A connection that was idle for longer is not used again: the other side may be closing it."""
NEXT_ADDRESS_S = 0.25
"""How long one address of a name is tried before the next one is as well (RFC 8305 §5)."""
GIVE_UP_S = 10.0
"""How long a connection that nobody waits for any more may still come about, to be closed."""


class Pool:
    """The connections to ``origin``, at most ``connections`` at a time.

    ``address`` is connected to in place of what the origin's name resolves to; the name stays for ``Host`` and TLS.
    """

    def __init__(self, origin: str, connections: int, *, tls: ssl.SSLContext | None = None, address: str = "") -> None:
        parts = urlsplit(origin)
        self._name = parts.hostname or ""
        secure = parts.scheme == "https"
        self._tls = (tls or ssl.create_default_context()) if secure else None
        self._host = address or self._name
        self._port = parts.port or (443 if secure else 80)
        self._head = f"Host: {parts.netloc}\r\nAccept-Encoding: identity\r\nUser-Agent: tiergate\r\n"
        self._idle: deque[Connection] = deque()
        self._free = asyncio.Semaphore(connections)
        self._open: set[Connection] = set()

    def request(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
        """A request as bytes.

        Raises:
            ValueError: a line break or another control character stands where none may.
        """
        lines = [f"{method} {target} HTTP/1.1\r\n{self._head}"]
        lines += [f"{name}: {value}\r\n" for name, value in headers.items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}\r\n")
        text = "".join(lines)
        breaks = len(headers) + 4 + (body is not None)
        if text.count("\n") != breaks or text.count("\r") != breaks or "\0" in text:
            raise ValueError("a header of a request holds a line break")
        whole = f"{text}\r\n".encode("latin-1")
        return whole + body if body else whole

    async def exchange(self, request: bytes, timeout_s: float, connect_s: float, terms: Terms) -> Answer:
        """One exchange over a fresh idle connection or a new one, within ``timeout_s`` seconds altogether.

        Raises:
            ExchangeFailed: no usable answer came.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        if self._free.locked() or (connection := self._fresh(began)) is None:
            connection = await self._connected(loop, timeout_s, connect_s)
            timeout_s -= loop.time() - began
        else:
            await self._free.acquire()  # one is free, so this does not wait
        try:
            answer = await connection.exchange(request, timeout_s, terms)
        except BaseException:
            connection.close()  # also when the caller went away: an answer that comes later is nobody's
            raise
        finally:
            self._free.release()
            self._put_back(connection, loop.time())
        return answer

    async def _connected(self, loop: asyncio.AbstractEventLoop, timeout_s: float, connect_s: float) -> Connection:
        """A connection of ours, with its place taken."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._free.acquire()
                try:
                    if (idle := self._fresh(loop.time())) is not None:
                        return idle
                    return await self._connect(loop, connect_s)
                except BaseException:
                    self._free.release()
                    raise
        except TimeoutError:
            raise NotConnected("no connection came about in time", late=True) from None
        except OSError as error:
            raise NotConnected(str(error)) from error

    async def _connect(self, loop: asyncio.AbstractEventLoop, connect_s: float) -> Connection:
        # Cancelled between the race of addresses and its end, the winner's socket would be lost. So it runs in a task
        # of its own, which is not cancelled with its caller: what it still brings is closed.
        racing = asyncio.ensure_future(self._race(loop))
        try:
            async with asyncio.timeout(connect_s):
                connection = await asyncio.shield(racing)
        except BaseException:
            racing.add_done_callback(_unwanted)
            loop.call_later(GIVE_UP_S, racing.cancel)
            raise
        self._open.add(connection)
        return connection

    async def _race(self, loop: asyncio.AbstractEventLoop) -> Connection:
        addresses = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        connected = await start_connection(addresses, happy_eyeballs_delay=NEXT_ADDRESS_S, interleave=1)
        _, connection = await loop.create_connection(
            lambda: Connection(loop),
            sock=connected,
            ssl=self._tls,
            server_hostname=self._name if self._tls is not None else None,
        )
        return connection

    def _fresh(self, now: float) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.alive and now - connection.idle_since < IDLE_S:
                return connection
            connection.close()
            self._open.discard(connection)
        return None

    def _put_back(self, connection: Connection, now: float) -> None:
        if connection.alive:
            connection.idle_since = now
            self._idle.append(connection)
        else:
            connection.close()
            self._open.discard(connection)

    def close(self) -> None:
        """End every connection."""
        for connection in self._open:
            connection.close()
        self._open.clear()
        self._idle.clear()


def _unwanted(racing: asyncio.Future[Connection]) -> None:
    if not racing.cancelled() and racing.exception() is None:
        racing.result().close()
