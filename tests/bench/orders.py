"""Orders: accepted and completed a second, and the CPU of one, beside the same steps as plain DBOS workflows.

Each case has a home of its own. The processes of one case share it, and its database; they may use
every core, as in production. CPU counts all of Tiergate's processes, and neither the store nor the
database server.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex

from burst import Burst, burst
from load import drive
from msgspec import Struct
from servers import Server, free_port, gateway
from tokens import token_of

COMPLETE_WITHIN_S = 300.0
CONNECTIONS = 16
PLAIN = Path(__file__).with_name("plain_orders.py")
OPEN = ("accepted", "allocated", "confirmed", "shipped", "invoiced", "on_hold")
SKUS = ("BRG-6204", "BRG-6206", "BRG-6000", "BRG-6201")


class Orders(Struct, frozen=True, kw_only=True):
    """What a burst of orders came to."""

    orders: int
    accepted_per_s: float
    completed_per_s: float
    cpu_ms_per_order: float


class Company:
    """The processes of one home."""

    def __init__(self, servers: list[Server], ports: list[int]) -> None:
        self.servers = servers
        self.ports = ports
        self.token = token_of(f"http://127.0.0.1:{ports[0]}", "portal-demo", "portal-demo-secret")

    def cpu_s(self) -> float:
        """CPU seconds of all processes, the store's apart."""
        return sum(server.cpu_s() for server in self.servers)

    def has_open(self) -> bool:
        """Whether any order is still under way."""
        return any(self._list(status) for status in OPEN)

    def wait(self) -> None:
        """Return when no order is under way.

        Raises:
            RuntimeError: they take longer than ``COMPLETE_WITHIN_S``.
        """
        until = time.perf_counter() + COMPLETE_WITHIN_S
        while self.has_open():
            if time.perf_counter() > until:
                raise RuntimeError("orders are still open")
            time.sleep(0.25)

    def _list(self, status: str) -> list[object]:
        url = f"http://127.0.0.1:{self.ports[0]}/experience/portal/v1/orders?limit=1&status={status}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return list(json.load(answer)["items"])


@contextmanager
def company(home: Path, config: Path, processes: int, database_url: str = "") -> Generator[Company]:
    """``processes`` gateways on one home."""
    with ExitStack() as stack:
        ports = [free_port() for _ in range(processes)]
        environ = {"TIERGATE_PUBLIC_URL": f"http://127.0.0.1:{ports[0]}", "TIERGATE_DATABASE_URL": database_url}
        servers: list[Server] = []
        for port in ports:
            servers.append(gateway(home, port, environ, config, bare=True))
            stack.callback(servers[-1].stop)
        yield Company(servers, ports)


def orders(firm: Company, *, seconds: float = 3.0) -> Orders:
    """Place orders over ``CONNECTIONS`` for ``seconds``, then wait until none is open."""
    drive_once(firm, 0.5)  # the first orders warm everything up
    firm.wait()
    before, began = firm.cpu_s(), time.perf_counter()
    count, took_s = drive_once(firm, seconds)
    firm.wait()
    return Orders(
        orders=count,
        accepted_per_s=count / took_s,
        completed_per_s=count / (time.perf_counter() - began),
        cpu_ms_per_order=(firm.cpu_s() - before) / count * 1000,
    )


def drive_once(firm: Company, seconds: float) -> tuple[int, float]:
    """The orders that were accepted, and the seconds it took.

    Raises:
        RuntimeError: one was not.
    """
    run = token_hex(6)
    seen = drive(firm.ports[0], lambda number: _request(firm, run, number), connections=CONNECTIONS, seconds=seconds)
    if seen.wrong:
        raise RuntimeError(f"{seen.wrong} of {seen.requests} orders were not accepted")
    return seen.requests, seen.seconds


def acceptance(firm: Company) -> Burst:
    """How long orders wait for their acceptance when 500 come at 50 a second."""
    found = burst(firm.ports[0], firm.token)
    firm.wait()
    return found


def plain(database_url: str = "", count: int = 150) -> Orders:
    """The same steps as a plain DBOS workflow, in a process of its own."""
    command = [sys.executable, str(PLAIN), "--orders", str(count), "--database-url", database_url]
    environ = {**os.environ, "PYTHONPATH": str(PLAIN.parents[2])}
    said = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=COMPLETE_WITHIN_S)
    found = json.loads(said.stdout.splitlines()[-1])
    return Orders(orders=count, accepted_per_s=0.0, **found)


def _request(firm: Company, run: str, number: int) -> bytes:
    body = json.dumps({"reference": f"{run}-{number}", "lines": [{"sku": SKUS[number % 4], "quantity": 1}]}).encode()
    head = (
        "POST /experience/portal/v1/orders HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {firm.token}\r\nContent-Length: {len(body)}\r\nIdempotency-Key: {run}-{number}\r\n\r\n"
    )
    return head.encode() + body
