"""How SQLite is opened, and that its writers take turns."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from governance.database import close_engine, open_engine

NOTES = sa.table("notes", sa.column("number"))


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    engine = open_engine(tmp_path, "", 16)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE notes (number INTEGER PRIMARY KEY)"))
    return engine


def test_sqlite_is_opened_so_that_what_was_answered_is_on_disk(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        pragmas = {
            name: connection.execute(sa.text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_writers_of_one_process_take_turns(engine: sa.Engine) -> None:
    def write(number: int) -> None:
        with engine.begin() as connection:
            seen = connection.execute(sa.select(sa.func.count()).select_from(NOTES)).scalar_one()
            assert seen >= 0
            connection.execute(sa.insert(NOTES), {"number": number})

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(write, range(200)))
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(NOTES)).scalar_one() == 200
    engine.dispose()


def test_a_writer_that_fails_gives_its_turn_back(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.insert(NOTES), {"number": 1})
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(sa.insert(NOTES), {"number": 1})
    done = threading.Event()

    def write() -> None:
        with engine.begin() as connection:
            connection.execute(sa.insert(NOTES), {"number": 2})
        done.set()

    threading.Thread(target=write, daemon=True).start()
    assert done.wait(30)
    engine.dispose()


def test_a_connection_that_is_out_when_the_engine_is_closed_is_closed_when_it_comes_back(engine: sa.Engine) -> None:
    out = engine.connect()
    connection = out.connection.dbapi_connection
    assert isinstance(connection, sqlite3.Connection)
    close_engine(engine)
    connection.execute("SELECT 1")
    out.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
