"""A burst of orders that come when they come: how long each waits for its acceptance.

The load is open: an order is sent at its time whether or not those before it were answered, so a
server that falls behind is seen to (no coordinated omission). The time counts from when the order
was due to the last byte of its answer.
"""

from __future__ import annotations

import asyncio
import json
from secrets import token_hex
from statistics import quantiles

from msgspec import Struct

SKUS = ("BRG-6204", "BRG-6206", "BRG-6000", "BRG-6201")


class Burst(Struct, frozen=True, kw_only=True):
    """How long acceptance took, in milliseconds."""

    orders: int
    per_s: float
    p50_ms: float
    p99_ms: float
    slowest_ms: float


class _Line:
    """A connection that sends one order at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: bytes) -> bytes:
        """The answer's status line."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:-2])
        await reader.readexactly(int(fields[b"content-length"]))
        return head[: head.index(b"\r\n")]

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


async def _burst(port: int, token: str, orders: int, per_s: float) -> Burst:
    loop, run = asyncio.get_running_loop(), token_hex(6)
    idle: list[_Line] = []
    every: list[_Line] = []
    took: list[float] = []
    began = loop.time() + 0.1

    async def place(number: int) -> None:
        due = began + number / per_s
        await asyncio.sleep(due - loop.time())
        line = idle.pop() if idle else _Line(port)
        if line not in every:
            every.append(line)
        status = await line.send(_request(port, token, run, number))
        if b" 202 " not in status + b" ":
            raise RuntimeError(f"order {number} was answered {status.decode()}")
        took.append((loop.time() - due) * 1000)
        idle.append(line)

    try:
        await asyncio.gather(*(place(number) for number in range(orders)))
    finally:
        for line in every:
            line.close()
    cuts = quantiles(took, n=100)
    return Burst(orders=orders, per_s=per_s, p50_ms=cuts[49], p99_ms=cuts[98], slowest_ms=max(took))


def _request(port: int, token: str, run: str, number: int) -> bytes:
    lines = [{"sku": SKUS[number % len(SKUS)], "quantity": 1}]
    body = json.dumps({"reference": f"BURST-{run}-{number}", "lines": lines}).encode()
    head = (
        f"POST /experience/portal/v1/orders HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nIdempotency-Key: {run}-{number}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def burst(port: int, token: str, *, orders: int = 500, per_s: float = 50.0) -> Burst:
    """Send ``orders`` to the portal at ``per_s`` a second."""
    return asyncio.run(_burst(port, token, orders, per_s))
