"""Reads and writes off the event loop, and a database that is away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from governance.database import Database, DatabaseAway, Migrations

pytestmark = pytest.mark.anyio
NOTES = sa.table("notes", sa.column("number"), sa.column("text"))


@pytest.fixture
async def database(tmp_path: Path, notes: Migrations, anyio_backend: str) -> AsyncIterator[Database]:
    database = Database(tmp_path)
    database.adopt(notes)
    await database.start()
    yield database
    await database.stop()


def add(number: int) -> sa.Insert:
    return sa.insert(NOTES).values(number=number)


async def count(database: Database) -> int:
    return await database.read(lambda one: one.execute(sa.select(sa.func.count()).select_from(NOTES)).scalar_one())


async def test_what_was_written_is_read_by_the_next_process(database: Database, tmp_path: Path) -> None:
    await database.write(lambda connection: connection.execute(add(1)))
    second = Database(tmp_path)
    second.adopt(Migrations(folder=tmp_path / "100 % revisions", version_table="notes_version"))
    await second.start()
    assert await count(second) == 1
    await second.stop()


async def test_a_write_that_raises_is_undone(database: Database) -> None:
    def work(connection: sa.Connection) -> None:
        connection.execute(add(1))
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(work)
    assert await count(database) == 0


async def test_work_runs_on_threads(database: Database) -> None:
    assert await database.read(lambda _: threading.current_thread()) is not threading.current_thread()


async def test_a_write_goes_on_when_nobody_waits_for_it(database: Database) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def work(connection: sa.Connection) -> None:
        begun.set()
        may_end.wait(5)
        connection.execute(add(1))

    writing = asyncio.create_task(database.write(work))
    await asyncio.to_thread(begun.wait, 5)
    writing.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    while await count(database) == 0:
        await asyncio.sleep(0.005)


async def test_a_database_that_is_away_says_so(tmp_path: Path, notes: Migrations) -> None:
    database = Database(tmp_path)
    database.adopt(notes)
    with pytest.raises(DatabaseAway):
        await database.read(lambda _: None)
    await database.start()
    await database.stop()
    with pytest.raises(DatabaseAway):
        await database.write(lambda _: None)


async def test_a_process_that_keeps_nothing_opens_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path)
    await database.start()
    assert not list(tmp_path.glob("*.sqlite*"))
    with pytest.raises(DatabaseAway):
        await database.read(lambda _: None)
    await database.stop()
