"""HTTP as impatient clients speak it: connections are kept, broken off in the middle, and never waited for long."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct

TIMEOUT_S = 15.0


class Lost(Exception):
    """There is no answer: nobody listens, or the connection broke."""


class Answer(Struct, frozen=True):
    """What a gateway answered."""

    status: int
    body: bytes
    etag: str = ""

    def json(self) -> Any:
        """The body's document."""
        return msgspec.json.decode(self.body)

    @property
    def problem(self) -> str:
        """The last word of the problem's type, or the status where there is none; empty for what is no problem."""
        if self.status < 400:
            return ""
        try:
            return str(self.json()["type"]).removeprefix("/problems/")
        except (msgspec.DecodeError, KeyError, TypeError):
            return str(self.status)


class Connections:
    """Kept connections to the gateways of this machine, by port."""

    def __init__(self) -> None:
        self._idle: dict[int, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = {}

    async def send(
        self,
        port: int,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
        cut_after_s: float | None = None,
    ) -> Answer:
        """The answer; with ``cut_after_s`` the connection is cut so long after the request was sent.

        Raises:
            Lost: there is none.
        """
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        message = "\r\n".join((*lines, "", "")).encode("latin-1") + body
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(TIMEOUT_S):
                reader, writer = await self._connected(port)
                writer.write(message)
                await writer.drain()
                if cut_after_s is not None:
                    await asyncio.sleep(cut_after_s)
                    raise ConnectionAbortedError
                answer, keep = await _read(reader)
        except (OSError, ValueError, EOFError, TimeoutError) as error:
            if writer is not None:
                _abort(writer)
            raise Lost(str(error)) from None
        except BaseException:
            if writer is not None:
                _abort(writer)
            raise
        if keep:
            self._idle.setdefault(port, []).append((reader, writer))
        else:
            writer.close()
        return answer

    async def close(self) -> None:
        """Close every connection."""
        for pairs in self._idle.values():
            for _, writer in pairs:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
        self._idle.clear()

    async def _connected(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        idle = self._idle.get(port, [])
        while idle:
            reader, writer = idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", port)


async def _read(reader: asyncio.StreamReader) -> tuple[Answer, bool]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = [line.partition(":") for line in head[1:] if line]
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    answer = Answer(int(head[0].split(" ")[1]), body, headers.get("etag", ""))
    return answer, headers.get("connection", "").lower() != "close"


def _abort(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
