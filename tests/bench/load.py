"""The load: 32 keep-alive connections that each send the next request when the last is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from msgspec import Struct

Build = Callable[[int], bytes]
"""Request number to its bytes."""


class Round(Struct, frozen=True, kw_only=True):
    """What one round saw."""

    requests: int
    seconds: float
    wrong: int
    """Answers that are not 2xx: a round with any does not count."""


class _Connection(asyncio.Protocol):
    """One connection; finds the end of an answer by its Content-Length."""

    def __init__(self, drive: _Drive) -> None:
        self._drive = drive
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head = self._buffer.find(b"\r\n\r\n")
            if head < 0:
                return
            lower = self._buffer[:head].lower()
            at = lower.find(b"content-length:")
            length = int(lower[at + 15 : lower.find(b"\r", at) if b"\r" in lower[at:] else None]) if at >= 0 else 0
            end = head + 4 + length
            if len(self._buffer) < end:
                return
            self._drive.answered(self._buffer[9:10] == b"2")
            self._buffer = self._buffer[end:]
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)

    def _send(self) -> None:
        assert self._transport is not None
        request = self._drive.next_request()
        if request is None:
            self._transport.close()
        else:
            self._transport.write(request)


class _Drive:
    def __init__(self, build: Build, until: float, first: int) -> None:
        self._build = build
        self._until = until
        self._number = first
        self.requests = 0
        self.wrong = 0

    def next_request(self) -> bytes | None:
        if time.perf_counter() >= self._until:
            return None
        self._number += 1
        return self._build(self._number)

    def answered(self, right: bool) -> None:
        self.requests += 1
        self.wrong += not right


def drive(port: int, build: Build, *, connections: int = 32, seconds: float = 2.0, first: int = 0) -> Round:
    """One round against 127.0.0.1:``port``; request numbers start after ``first``."""
    return asyncio.run(_drive(port, build, connections, seconds, first))


async def _drive(port: int, build: Build, connections: int, seconds: float, first: int) -> Round:
    began = time.perf_counter()
    state = _Drive(build, began + seconds, first)
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: _Connection(state), "127.0.0.1", port) for _ in range(connections)]
    await asyncio.gather(*(protocol.lost for _, protocol in made))
    return Round(requests=state.requests, seconds=time.perf_counter() - began, wrong=state.wrong)
