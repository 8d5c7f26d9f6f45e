"""A gateway with subscriptions, and a partner with an endpoint of its own, in one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from governance.egress import Egress, EgressSettings
from process_apis.events.event import NewEvent
from process_apis.events.outbox import append
from process_apis.subscriptions.v1.service import Subscriptions
from system_apis.notifications.v1.service import Notifications
from tests.governance.egress.vendor import Behaviour, Vendor, answering
from tests.process_apis.subscriptions.post import Said
from tests.process_apis.world import World, running

PATH = "/process/subscriptions/v1/subscriptions"
FINE = answering(204, b"")


class Partner:
    """A partner's own endpoint, in the world's event loop."""

    def __init__(self, world: World, vendor: Vendor) -> None:
        self.world = world
        self.vendor = vendor
        self.url = f"http://127.0.0.1:{vendor.port}/in"

    def post(self, path: str, who: str = "acme", key: str = "", status: int = 200, **body: Any) -> Any:
        named = {"account_id": "ACME", **body}
        answer = self.world.ask(who, "POST", f"{PATH}{path}", body=named, key=key or f"{path}-{sorted(body)}")
        assert answer.status_code == status, answer.text
        return answer.json()

    def subscribe(self, **body: Any) -> Any:
        return self.post("", status=201, **{"url": self.url, **body})

    def happen(self, *subjects: str) -> None:
        new = [NewEvent(type="order.accepted", subject=one, account_id="ACME", data=Said("x")) for one in subjects]
        self.world.run(self.world.flows.write(partial(append, new=new, now=datetime.now(UTC))))

    def eventually(self, good: Callable[[], bool]) -> None:
        async def wait() -> None:
            async with asyncio.timeout(20):
                while not good():
                    await asyncio.sleep(0.01)

        self.world.run(wait())

    def delivered(self, count: int) -> None:
        self.eventually(lambda: len(self.vendor.asked) >= count)


@contextmanager
def partner(home: Path, behave: Behaviour = FINE) -> Generator[Partner]:
    vendor = Vendor(behave)
    with asyncio.Runner() as bound:  # a port must be known before the gateway is made
        bound.run(_port(vendor))
    egress = Egress(
        EgressSettings(guarded_ports=(vendor.port,), guarded_plain_http=True, guarded_exempt=("127.0.0.1/32",))
    )
    with running(home, "verify", (Notifications, Subscriptions), extra={Egress: egress}) as world:
        world.run(vendor.__aenter__())
        try:
            yield Partner(world, vendor)
        finally:
            world.run(vendor.__aexit__())


async def _port(vendor: Vendor) -> None:
    async with vendor:
        pass
