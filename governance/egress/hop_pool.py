"""The connections to one other process of the gateway: as many as are allowed, each used again while it is fresh."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from urllib.parse import urlsplit

from governance.call.exchange import Answer
from governance.egress.failures import NotConnected
from governance.egress.hop_connection import HopConnection

IDLE_S = 15.0
"""A connection that was idle for longer is not used again: the other side may be closing it."""


class HopPool:
    """The connections to ``origin``, at most ``connections`` at a time. TLS is verified."""

    def __init__(self, origin: str, connections: int) -> None:
        parts = urlsplit(origin)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._tls else 80)
        self.head = f"Host: {parts.netloc}\r\nAccept-Encoding: identity\r\n"
        """What every request to it begins with."""
        self._idle: deque[HopConnection] = deque()
        self._free = asyncio.Semaphore(connections)
        self._open: set[HopConnection] = set()

    async def exchange(self, request: bytes, timeout_s: float) -> Answer:
        """One exchange over a fresh idle connection or a new one, within ``timeout_s`` seconds altogether.

        Raises:
            ExchangeFailed: no usable answer came.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        if self._free.locked() or (connection := self._fresh(began)) is None:
            connection = await self._connected(loop, timeout_s)
            timeout_s -= loop.time() - began
        else:
            await self._free.acquire()  # one is free, so this does not wait
        try:
            answer = await connection.exchange(request, timeout_s)
        except BaseException:
            connection.close()  # also when the caller went away: an answer that comes later is nobody's
            raise
        finally:
            self._free.release()
            self._put_back(connection, loop.time())
        return answer

    async def _connected(self, loop: asyncio.AbstractEventLoop, timeout_s: float) -> HopConnection:
        """A connection of ours, with its place taken."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._free.acquire()
                try:
                    return self._fresh(loop.time()) or await self._connect(loop)
                except BaseException:
                    self._free.release()
                    raise
        except TimeoutError:
            raise NotConnected(f"no connection within {timeout_s:g} s", late=True) from None
        except OSError as error:
            raise NotConnected(str(error)) from error

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> HopConnection:
        _, connection = await loop.create_connection(lambda: HopConnection(loop), self._host, self._port, ssl=self._tls)
        self._open.add(connection)
        return connection

    def _fresh(self, now: float) -> HopConnection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.alive and now - connection.idle_since < IDLE_S:
                return connection
            connection.close()
            self._open.discard(connection)
        return None

    def _put_back(self, connection: HopConnection, now: float) -> None:
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
