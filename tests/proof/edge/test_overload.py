"""Five times more clients than a process can serve: those it takes on are served in time, the rest know at once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.governance.bindings.sample_gateway import SHELVES

SERVER = Path(__file__).with_name("busy_server.py")
REQUEST = f"GET {SHELVES}/books/b1 HTTP/1.1\r\nHost: t\r\n\r\n".encode()
PATIENCE_S = 0.5
"""What a client waits for an answer that is of use to it."""
CROWD = 500
PLENTY = 16


@contextmanager
def busy(most_in_flight: int) -> Iterator[int]:
    """The port of a busy server that takes on so many requests."""
    with subprocess.Popen([sys.executable, str(SERVER), str(most_in_flight)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.kill()


async def crowd(port: int, clients: int, seconds: float) -> tuple[float, float]:
    """Useful answers per second, and the slowest refusal in seconds."""
    until = time.monotonic() + seconds
    seen: Counter[int] = Counter()
    refusals: list[float] = [0.0]

    async def client() -> None:
        while time.monotonic() < until:
            with suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                while time.monotonic() < until:
                    asked = time.monotonic()
                    writer.write(REQUEST)
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                    await reader.readexactly(length)
                    took = time.monotonic() - asked
                    status = int(head.split()[1])
                    seen[status] += status != 200 or took <= PATIENCE_S
                    if status == 503:
                        refusals.append(took)
                        await asyncio.sleep(0.2)  # a client that was told to come back later does not hammer
                writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    assert set(seen) <= {200, 503}, seen
    return seen[200] / seconds, max(refusals)


@pytest.mark.proof
@pytest.mark.timeout(1_800)
def test_a_crowd_takes_little_from_what_is_served() -> None:
    with busy(most_in_flight=100) as port:
        alone, _ = asyncio.run(crowd(port, PLENTY, 3))
        crowded, slowest_refusal_s = asyncio.run(crowd(port, CROWD, 5))
    with busy(most_in_flight=100_000) as port:
        unshed, _ = asyncio.run(crowd(port, CROWD, 5))
    print(f"useful answers/s: {alone:.0f} alone, {crowded:.0f} in a crowd, {unshed:.0f} without shedding")
    assert crowded > 0.6 * alone
    assert slowest_refusal_s < 1.0
    assert unshed < crowded, "the test's crowd is no overload"
