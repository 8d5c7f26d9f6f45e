"""A vendor on loopback that misbehaves as a test says, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple


class Asked(NamedTuple):
    """One request."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


Behaviour = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


class Vendor:
    """``async with Vendor(behaviour)``; ``behave`` may be changed while it runs."""

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.behave = behave
        self._tls = tls
        self.asked: list[Asked] = []
        self.connections = 0
        self.under_way = 0
        self.most_at_once = 0
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Vendor:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await asyncio.sleep(0)

    @property
    def live(self) -> int:
        """Connections that stand."""
        return len(self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self.connections += 1
        try:
            while (asked := await read_request(reader)) is not None:
                self.asked.append(asked)
                self.under_way += 1
                self.most_at_once = max(self.most_at_once, self.under_way)
                try:
                    await self.behave(asked, writer)
                finally:
                    self.under_way -= 1
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the test is over
        finally:
            self._serving.discard(task)
            writer.close()


async def read_request(reader: asyncio.StreamReader) -> Asked | None:
    """The next request of a connection, or None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    line, *rest = head.decode("latin-1").split("\r\n")[:-2]
    method, target, _ = line.split(" ")
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
    return Asked(method, target, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


def raw_answer(status: int = 200, body: bytes = b"{}", headers: Mapping[str, str] | None = None) -> bytes:
    """An answer as bytes."""
    fields = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode() + body


def saying(raw: bytes, *, then_close: bool = False) -> Behaviour:
    """These bytes, and the end of the connection where asked for."""

    async def behave(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        if then_close:
            writer.close()

    return behave


def answering(status: int = 200, body: bytes = b"{}", headers: Mapping[str, str] | None = None) -> Behaviour:
    """The same answer to everything."""
    return saying(raw_answer(status, body, headers))


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One after the other; the last goes on."""
    left = list(behaviours)

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(asked, writer)

    return behave


async def hanging(_: Asked, __: asyncio.StreamWriter) -> None:
    """No answer, ever."""
    await asyncio.Event().wait()


async def hanging_up(_: Asked, writer: asyncio.StreamWriter) -> None:
    """An orderly end without an answer."""
    writer.close()


async def resetting(_: Asked, writer: asyncio.StreamWriter) -> None:
    """RST instead of an answer."""
    found: socket.socket = writer.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def trickling(_: Asked, writer: asyncio.StreamWriter) -> None:
    """A byte now and then, without end."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def pouring(_: Asked, writer: asyncio.StreamWriter) -> None:
    """A body without end or length, chunk after chunk."""
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


HALF_AN_ANSWER = saying(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", then_close=True)
BAD_CHUNKS = saying(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nno\r\n")


def nobody_there() -> str:
    """The base URL of a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"
