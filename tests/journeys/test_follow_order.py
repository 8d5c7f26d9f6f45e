"""An order is followed over HTTP as it happens: whatever is killed in between, each event comes once and in order."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.journeys.clients import PORTAL, Client, an_order
from tests.journeys.conftest import CONFIGURATION
from tests.journeys.gateways import Gateway, eventually, running

WITHIN_S = 30.0
IDLE_STREAMS = 40
WAY = ["order.accepted", "inventory.allocated", "order.approved", "order.confirmed", "order.completed"]


class Follower:
    """A browser: it follows, and comes back after the last event that it has."""

    def __init__(self, gateway: Gateway, client: Client, order_id: str) -> None:
        self._url = f"{gateway.url()}{PORTAL}/orders/{order_id}/events"
        self._client = client
        self.events: list[dict[str, Any]] = []
        self.opened = 0

    @contextmanager
    def connected(self, read_s: float = WITHIN_S) -> Generator[Iterator[dict[str, Any]]]:
        """One connection, and the events that come over it."""
        headers = {"Authorization": f"Bearer {self._client.token}", "Accept": "text/event-stream"}
        if self.events:
            headers["Last-Event-ID"] = self.events[-1]["id"]
        timeout = httpx2.Timeout(WITHIN_S, read=read_s)
        with httpx2.Client(timeout=timeout) as http, http.stream("GET", self._url, headers=headers) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"] == "text/event-stream"
            self.opened += 1
            yield self._told(answer)

    def until(self, kind: str) -> None:
        """Follow until there was an event of this type, over as many connections as it takes."""
        until = time.monotonic() + WITHIN_S
        while kind not in self.kinds:
            assert time.monotonic() < until, self.kinds
            try:
                with self.connected() as told:
                    for event in told:
                        if event["type"] == kind:
                            return
            except httpx2.TransportError:  # the server was killed, or another takes its place
                time.sleep(0.1)

    @property
    def kinds(self) -> list[str]:
        """The types of what came, in order."""
        return [event["type"] for event in self.events]

    def _told(self, answer: httpx2.Response) -> Iterator[dict[str, Any]]:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                self.events.append(event)
                yield event


def everything(follower: Follower) -> None:
    """What a follower saw is the whole of it, once and in order."""
    kinds = follower.kinds
    assert [kind for kind in kinds if kind.startswith(("order.", "inventory."))] == WAY
    once = [kind for kind in kinds if kind in ("shipment.created", "shipment.dispatched", "invoice.posted")]
    assert once == ["shipment.created", "shipment.dispatched", "invoice.posted"]
    assert len({event["id"] for event in follower.events}) == len(follower.events)
    again = Follower.__new__(Follower)
    again.__dict__.update({**follower.__dict__, "events": []})
    again.until(follower.kinds[-1])
    assert again.events == follower.events


def test_an_order_is_followed_from_its_acceptance_to_its_end(gateway: Gateway, client: Callable[[str], Client]) -> None:
    portal = client("portal-demo")
    order = portal.place(an_order(f"SSE-{gateway.placement}", ("BRG-6204", 2)), wait_s=0)
    follower = Follower(gateway, portal, order["order_id"])
    with follower.connected() as told:
        first = next(told)
    assert (first["type"], first["order_id"]) == ("order.accepted", order["order_id"])
    follower.until("order.completed")
    everything(follower)
    headers = {"Accept": "text/event-stream"}
    stranger = client("portal-demo-2").get(f"{PORTAL}/orders/{order['order_id']}/events", headers=headers)
    assert stranger.status_code == 404


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that only this test kills."""
    with running(tmp_path, "co-located", CONFIGURATION) as gateway:
        yield gateway


def test_followers_outlive_a_kill_and_hold_up_no_stop(own: Gateway) -> None:
    portal = Client(own, "portal-demo")
    orders = [portal.place(an_order(f"KILL-{number}", ("BRG-6204", 1)), wait_s=0) for number in range(3)]
    followers = [Follower(own, portal, order["order_id"]) for order in orders]
    with followers[0].connected() as told:
        next(told)
        own.process("experience").kill_worker()
        with pytest.raises(httpx2.TransportError):
            for _ in told:
                pass
    eventually("the worker is back", lambda: portal_answers(own))
    for follower in followers:
        follower.until("order.completed")
        everything(follower)
    with httpx2.Client(timeout=WITHIN_S, limits=httpx2.Limits(max_connections=IDLE_STREAMS)) as http:
        idle = [stream_of(http, own, portal, orders[0]["order_id"]) for _ in range(IDLE_STREAMS)]
        began = time.monotonic()
        assert own.process("experience").stop() == 0
        assert time.monotonic() - began < 18, "streams hold it up until it gives up on them, after 20 s"
        for answer in idle:
            answer.read()  # whole: the server ended each stream
    own.start()


def portal_answers(gateway: Gateway) -> bool:
    try:
        return httpx2.get(f"{gateway.url()}/readyz").status_code == 200
    except httpx2.TransportError:
        return False


def stream_of(http: httpx2.Client, gateway: Gateway, client: Client, order_id: str) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {client.token}", "Accept": "text/event-stream"}
    request = http.build_request("GET", f"{gateway.url()}{PORTAL}/orders/{order_id}/events", headers=headers)
    answer = http.send(request, stream=True)
    assert answer.status_code == 200
    return answer
