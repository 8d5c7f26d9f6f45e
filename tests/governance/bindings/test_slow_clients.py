"""Clients that send a byte now and then hold nothing up, and are closed within the stated seconds."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import pytest

from tests.governance.bindings.real_server import HEADER_TIMEOUT_S, RealServer
from tests.governance.bindings.sample_gateway import LIMITS, SHELVES
from tests.governance.bindings.test_real_server import exchange, get
from tests.lived import lived

pytestmark = pytest.mark.anyio
CROWD = 60
MARGIN_S = 8
HEADER = b"GET / HTTP/1.1\r\nHost: t\r\nX: "
BODY = (
    f"POST {SHELVES}/books HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
    "Idempotency-Key: k\r\nContent-Length: 1000\r\n\r\n"
).encode()
CHUNKED = BODY.replace(b"Content-Length: 1000", b"Transfer-Encoding: chunked")


async def trickle(port: int, head: bytes, drop: bytes) -> tuple[float, bytes]:
    """Send ``head``, then ``drop`` again and again; the seconds until the server ended it, and what it said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    writer.write(head)
    said = asyncio.ensure_future(reader.read(65_536))
    while not said.done():
        writer.write(drop)
        await asyncio.wait((said,), timeout=0.02)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    with suppress(ConnectionError):
        return time.monotonic() - began, said.result()
    return time.monotonic() - began, b""


@pytest.mark.rule("RFC 9110 §15.5.9", "A body that takes too long ends with 408")
@pytest.mark.parametrize(
    ("head", "drop", "bound_s", "answer"),
    [
        (HEADER, b"a", HEADER_TIMEOUT_S, b""),
        (BODY, b" ", LIMITS.body_timeout_s, b"HTTP/1.1 408"),
        (CHUNKED, b"1\r\n \r\n", LIMITS.body_timeout_s, b"HTTP/1.1 408"),
    ],
    ids=["header", "body", "chunks"],
)
async def test_a_crowd_of_slow_clients_is_closed_in_time_while_others_are_served(
    real_server: RealServer, head: bytes, drop: bytes, bound_s: float, answer: bytes
) -> None:
    slow = asyncio.gather(*(trickle(real_server.port, head, drop) for _ in range(CROWD)))
    served = 0
    async with lived() as lived_s:
        while not slow.done():
            began = lived_s()
            assert (await exchange(real_server, get()))[0] == 200
            assert lived_s() - began < 1
            served += not slow.done()
    assert served, "all waited for the slow ones"
    for took_s, said in await slow:
        assert took_s < bound_s + MARGIN_S
        assert said.startswith(answer)
