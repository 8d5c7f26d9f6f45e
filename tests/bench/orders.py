"""Orders: how many are accepted a second, and what one costs until it is completed."""

from __future__ import annotations

import json
import time
import urllib.request
from secrets import token_hex

from load import drive
from msgspec import Struct
from world import World

COMPLETE_WITHIN_S = 300.0


class Orders(Struct, frozen=True, kw_only=True):
    """What a burst of orders came to."""

    accepted: int
    accepted_per_s: float
    completed_per_s: float
    cpu_ms_per_order: float


def orders(world: World, *, seconds: float = 3.0) -> Orders:
    """Place orders over 16 connections for ``seconds``, then wait until none is open."""
    before = world.together.cpu_s()
    lines = [{"sku": "BRG-6204", "quantity": 1}]
    body = json.dumps({"reference": "BENCH", "lines": lines, "repeat": True}).encode()
    head = (
        "POST /experience/portal/v1/orders HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {world.portal_token}\r\nContent-Length: {len(body)}\r\nIdempotency-Key: "
    ).encode()
    run = token_hex(6)
    began = time.perf_counter()
    seen = drive(
        world.together_port,
        lambda number: b"%b%b-%d\r\n\r\n%b" % (head, run.encode(), number, body),
        connections=16,
        seconds=seconds,
    )
    if seen.wrong:
        raise RuntimeError(f"{seen.wrong} of {seen.requests} orders were not accepted")
    while _open_orders(world):
        if time.perf_counter() - began > COMPLETE_WITHIN_S:
            raise RuntimeError("orders are still open")
        time.sleep(0.25)
    took_s = time.perf_counter() - began
    return Orders(
        accepted=seen.requests,
        accepted_per_s=seen.requests / seen.seconds,
        completed_per_s=seen.requests / took_s,
        cpu_ms_per_order=(world.together.cpu_s() - before) / seen.requests * 1000,
    )


def _open_orders(world: World) -> bool:
    for status in ("accepted", "allocated", "confirmed", "shipped", "invoiced"):
        url = f"http://127.0.0.1:{world.together_port}/experience/portal/v1/orders?limit=1&status={status}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {world.portal_token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            if json.load(answer)["items"]:
                return True
    return False
