"""Real tables, the real way out and real endpoints on loopback; only the clock and chance are the tests'."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from governance.call import ManualClock
from governance.egress import GuardedClient
from governance.egress.figures import EgressFigures
from governance.egress.guard import Guard, Resolve
from governance.webhooks import new_secret
from process_apis.events.event import NewEvent
from process_apis.events.instants import microseconds
from process_apis.events.migration import MIGRATIONS as EVENTS
from process_apis.events.outbox import append
from process_apis.flow import FlowRuntime, FlowSettings
from process_apis.subscriptions import book
from process_apis.subscriptions.dispatcher import Dispatcher
from process_apis.subscriptions.fan_out import begin_at_the_end
from process_apis.subscriptions.migration import MIGRATIONS
from process_apis.subscriptions.tables import attempts, deliveries, subscriptions
from tests.governance.egress.vendor import Asked, Vendor

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


class Said(Struct, frozen=True):
    """What the events of these tests say."""

    text: str


async def to_loopback(host: str, port: int) -> Sequence[str]:
    """Every name is this machine."""
    return ["127.0.0.1"]


def way_out(*vendors: Vendor, resolve: Resolve = to_loopback) -> GuardedClient:
    """A guarded client that may call these endpoints."""
    ports = [vendor.port for vendor in vendors]
    guard = Guard(ports=ports, plain_http=True, exempt=("127.0.0.1/32",), resolve=resolve)
    return GuardedClient(guard, EgressFigures())


class Post:
    """Events, subscriptions and who delivers."""

    def __init__(self, flows: FlowRuntime, clock: ManualClock) -> None:
        self.flows = flows
        self.clock = clock
        self._made = 0

    def dispatcher(self, client: GuardedClient, chance: float = 0.5) -> Dispatcher:
        return Dispatcher(self.flows, self.clock, client, chance=lambda: chance)

    async def subscribe(
        self,
        vendor: Vendor | str,
        *,
        account_id: str = "ACME",
        types: tuple[str, ...] = (),
        subjects: tuple[str, ...] = (),
        contact: str = "",
    ) -> str:
        self._made += 1
        now_us = microseconds(self.clock.now())
        values: dict[str, Any] = {
            "subscription_id": f"sub-{self._made}",
            "account_id": account_id,
            "url": vendor if isinstance(vendor, str) else f"http://hooks.example.com:{vendor.port}/in",
            "description": "",
            "contact": contact,
            "types": msgspec.json.encode(types).decode(),
            "subjects": msgspec.json.encode(subjects).decode(),
            "status": "active",
            "reason": "",
            "secret": new_secret(),
            "former_secret": "",
            "former_until_us": 0,
            "rotation": "",
            "revision": 1,
            "failures": 0,
            "created_us": now_us,
            "updated_us": now_us,
        }

        def work(connection: sa.Connection) -> None:
            since = begin_at_the_end(connection)
            connection.execute(sa.insert(subscriptions).values(since_position=since, **values))

        await self.flows.write(work)
        return str(values["subscription_id"])

    async def happen(
        self, *subjects: str, account_id: str | None = "ACME", type_: str = "order.accepted", text: str = ""
    ) -> None:
        """One event after the other, each about one of these."""
        new = [NewEvent(type=type_, subject=one, account_id=account_id, data=Said(text)) for one in subjects]
        await self.flows.write(partial(append, new=new, now=self.clock.now()))

    async def row(self, subscription_id: str) -> Any:
        return await self.flows.read(partial(book.one, subscription_id=subscription_id))

    async def states(self, subscription_id: str) -> list[tuple[str, str, int]]:
        """Subject, status and attempts of each delivery, in order."""
        query = (
            sa.select(deliveries).where(deliveries.c.subscription_id == subscription_id).order_by(deliveries.c.position)
        )
        rows = await self.flows.read(lambda connection: connection.execute(query).all())
        return [(row.subject, row.status, row.attempts) for row in rows]

    async def log(self, subscription_id: str) -> list[Any]:
        """Every attempt, oldest first."""
        query = sa.select(attempts).where(attempts.c.subscription_id == subscription_id).order_by(attempts.c.attempt)
        return await self.flows.read(lambda connection: list(connection.execute(query)))

    async def change(self, subscription_id: str, **values: Any) -> None:
        statement = sa.update(subscriptions).where(subscriptions.c.subscription_id == subscription_id)
        await self.flows.write(lambda connection: connection.execute(statement.values(**values)))

    async def all_sent(self, dispatcher: Dispatcher) -> int:
        """Look until nothing is due; how many attempts were made."""
        made = 0
        while began := await dispatcher.look():
            made += began
            await dispatcher.settle()
        return made


def subjects_of(asked: Sequence[Asked]) -> list[str]:
    """What each request was about."""
    return [json.loads(one.body)["subject"] for one in asked]


@asynccontextmanager
async def opened(home: Path, url: str = "", now: datetime = NOW) -> AsyncGenerator[Post]:
    """Tables of their own in ``home``, or in the PostgreSQL at ``url``."""
    clock = ManualClock(now)
    flows = FlowRuntime(FlowSettings(home=home, database_url=url, run=False), clock)
    flows.adopt(EVENTS)
    flows.adopt(MIGRATIONS)
    await flows.start()
    try:
        yield Post(flows, clock)
    finally:
        await flows.stop()
