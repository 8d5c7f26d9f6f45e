"""100,000 requests to a running gateway of four processes: the burst and not one more, fields on each, answers in time."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.embedded.sockets import socket_path
from governance.store import Store
from tests.journeys.clients import Client
from tests.journeys.gateways import Gateway, eventually, running

pytestmark = [pytest.mark.proof, pytest.mark.timeout(300)]

WORKERS, CONNECTIONS, REQUESTS = 4, 64, 100_000
BURST = 700
BOUND_S = 0.25
PATH = "/system/erp/v1/products?limit=1"


@contextmanager
def limited(folder: Path, limit: str, mode: str) -> Iterator[Gateway]:
    configuration = f"""
[gateway]
workers = {WORKERS}

[policies.rate_limit]
system = "{limit}"
on_store_failure = "{mode}"
"""
    with running(folder, "co-located", configuration) as gateway:
        yield gateway


class Crowd:
    """Connections that each send the next request when the last is answered, and what they were answered."""

    def __init__(self, gateway: Gateway, *, requests: int = 0, pause_s: float = 0.0) -> None:
        token = Client(gateway, "system-demo").token
        self._port = gateway.process("system").port
        self._request = f"GET {PATH} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        self._left = requests
        self._pause_s = pause_s
        self._over = bool(requests)
        self.statuses: Counter[int] = Counter()
        self.announced = 0
        self.slowest_s = 0.0

    async def ask(self, connections: int) -> None:
        """Until the requests are spent, or ``end``."""
        await asyncio.gather(*(self._connection() for _ in range(connections)))

    def end(self) -> None:
        """Send no more."""
        self._over = True

    async def _connection(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        while self._left > 0 or not self._over:
            self._left -= 1
            asked = time.monotonic()
            writer.write(self._request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))
            self.slowest_s = max(self.slowest_s, time.monotonic() - asked)
            self.statuses[int(head.split()[1])] += 1
            self.announced += b"\r\nratelimit: " in head and b"\r\nratelimit-policy: " in head
            if self._pause_s:
                await asyncio.sleep(self._pause_s)
        writer.close()
        await writer.wait_closed()


def test_four_workers_admit_the_burst_and_not_one_more(tmp_path: Path) -> None:
    with limited(tmp_path, f"{BURST}/365d", "closed") as gateway:
        crowd = Crowd(gateway, requests=REQUESTS)
        began = time.monotonic()
        asyncio.run(crowd.ask(CONNECTIONS))
        print(f"{REQUESTS} requests in {time.monotonic() - began:.0f} s: {dict(crowd.statuses)}")
        assert crowd.statuses == {200: BURST, 429: REQUESTS - BURST}
        assert crowd.announced == REQUESTS


def test_four_workers_admit_what_time_allows(tmp_path: Path) -> None:
    with limited(tmp_path, "200/1s burst 50", "closed") as gateway:
        crowd = Crowd(gateway, requests=REQUESTS)
        began = time.monotonic()
        asyncio.run(crowd.ask(CONNECTIONS))
        took_s = time.monotonic() - began
        print(f"{REQUESTS} requests in {took_s:.0f} s: {dict(crowd.statuses)}")
        assert set(crowd.statuses) == {200, 429} and crowd.statuses.total() == REQUESTS
        assert 0.9 * 200 * took_s < crowd.statuses[200] <= 50 + 200 * took_s


@pytest.mark.parametrize("mode", ["open", "closed"])
def test_answers_come_in_time_while_the_store_is_stopped_and_killed(tmp_path: Path, mode: str) -> None:
    with limited(tmp_path, "1000000/365d", mode) as gateway:
        crowd = Crowd(gateway, pause_s=0.04)
        asyncio.run(_hurt(gateway, crowd))
        print(f"{mode}: {dict(crowd.statuses)}, slowest {crowd.slowest_s * 1000:.0f} ms")
        assert set(crowd.statuses) == ({200} if mode == "open" else {200, 503})
        assert crowd.slowest_s < BOUND_S
        eventually("the store judges again", lambda: _announces(gateway))


async def _hurt(gateway: Gateway, crowd: Crowd) -> None:
    asking = asyncio.create_task(crowd.ask(16))
    await asyncio.sleep(1)
    store = await _store_process(gateway)
    os.kill(store, signal.SIGSTOP)
    await asyncio.sleep(2)
    os.kill(store, signal.SIGCONT)
    await asyncio.sleep(1)
    os.kill(store, signal.SIGKILL)
    await asyncio.sleep(2)
    crowd.end()
    await asking


async def _store_process(gateway: Gateway) -> int:
    store = Store(str(socket_path(gateway.home)))
    await store.start()
    info: bytes = await store.command(b"INFO", b"server")
    await store.close()
    return int(info.partition(b"process_id:")[2].split()[0])


def _announces(gateway: Gateway) -> bool:
    return "ratelimit" in Client(gateway, "system-demo").get(PATH.partition("?")[0], limit=1).headers
