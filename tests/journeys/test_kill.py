"""kill -9 of what serves, in the middle of thirty orders: all end, and no system holds a thing too much.

The moment of the kill is varied by a seed. ``JOURNEY_KILLS=20`` tries that many moments.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.journeys.clients import PORTAL, Client, an_order
from tests.journeys.conftest import CONFIGURATION
from tests.journeys.gateways import Gateway, eventually, running
from tests.journeys.ledgers import discrepancies, read_ledgers, stock_discrepancies

KILLS = int(os.environ.get("JOURNEY_KILLS", "2"))
ORDERS = 30
AT_ONCE = 6
SLOW_WAREHOUSE = CONFIGURATION.replace("dispatch_after_s = 0", "dispatch_after_s = 0.2").replace(
    "deliver_after_s = 0", "deliver_after_s = 0.2"
)
"""So that flows are at every step when the kill comes."""
QUICK_LEASE = "\n[policies.idempotency]\nlease_s = 1\n"
"""A key whose request was killed is free again after this long."""
BUYERS: Sequence[tuple[str, dict[str, Any], str]] = (
    ("stadtwerke", {}, "completed"),
    ("portal-demo", {}, "completed"),
    ("pixelfab", {"card_token": "card_ok"}, "completed"),
    ("pixelfab", {"card_token": "card_declined"}, "rejected"),
    ("tightrope", {}, "rejected"),
)


class Crowd:
    """Thirty orders, each sent until it is answered."""

    def __init__(self, gateway: Gateway, at: str | None) -> None:
        self._clients = {name: Client(gateway, name, at=at) for name, _, _ in BUYERS}

    def send(self, number: int) -> tuple[Client, str, str]:
        """Send order ``number`` under its key until somebody answers 202; who sent it, its id, how it must end."""
        name, more, end = BUYERS[number % len(BUYERS)]
        client = self._clients[name]
        body = an_order(f"PO-{number}", ("BRG-22210", 7 if name == "tightrope" else 1), ("BRG-6201", 2), **more)

        def attempt() -> httpx2.Response | None:
            try:
                answer = client.post(f"{PORTAL}/orders", body, key=f"order-{number}")
            except httpx2.HTTPError:
                return None  # nobody serves, or it died over this request
            assert answer.status_code in (202, 409, 503), answer.text
            return answer if answer.status_code == 202 else None

        return client, eventually(f"order {number} is accepted", attempt, 60).json()["order_id"], end


def kill_the_supervisor(gateway: Gateway) -> None:
    gateway.process("system").kill_and_restart()


def kill_the_worker(gateway: Gateway) -> None:
    gateway.process("system").kill_worker()
    gateway.process("system").wait_until_ready()


def kill_the_first_of_two(gateway: Gateway) -> None:
    """It held the place of the runner of flows, and the store; nobody starts it again."""
    gateway.process("system").kill()


def kill_the_process_tier(gateway: Gateway) -> None:
    gateway.process("process").kill_and_restart()


def kill_the_system_tier(gateway: Gateway) -> None:
    gateway.process("system").kill_and_restart()


VICTIMS: dict[Callable[[Gateway], None], str] = {
    kill_the_supervisor: "co-located",
    kill_the_worker: "co-located",
    kill_the_first_of_two: "co-located",
    kill_the_process_tier: "split",
    kill_the_system_tier: "split",
}
CASES = [
    pytest.param(victim, seed, id=f"{victim.__name__}-{seed}")
    for place, victim in enumerate(VICTIMS)
    for seed in range(KILLS if place < 2 else max(1, KILLS - 1))
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("kill", "seed"), CASES)
def test_orders_survive(tmp_path: Path, kill: Callable[[Gateway], None], seed: int) -> None:
    moments = random.Random(f"{kill.__name__} {seed}")
    with running(tmp_path, VICTIMS[kill], SLOW_WAREHOUSE + QUICK_LEASE) as gateway:
        guest = gateway.join() if kill is kill_the_first_of_two else None
        crowd = Crowd(gateway, at=guest.url if guest else None)
        before = read_ledgers(gateway.home)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            sent = [pool.submit(crowd.send, number) for number in range(ORDERS)]
            enough = moments.randint(3, ORDERS)
            eventually(f"{enough} orders are accepted", lambda: sum(one.done() for one in sent) >= enough)
            threading.Event().wait(moments.uniform(0, 0.4))  # any moment will do: that is what is tested
            kill(gateway)
            placed = [one.result() for one in sent]
        orders = [client.ended(order_id) for client, order_id, _ in placed]
        assert [order["status"] for order in orders] == [end for _, _, end in placed]
        assert len({order["order_id"] for order in orders}) == ORDERS
        now = read_ledgers(gateway.home)
        assert discrepancies(now, orders) == []
        assert stock_discrepancies(before, now, orders) == []
        assert len(now.erp.orders) == len({one.customer_reference for one in now.erp.orders})
