"""An engine on the database of Tiergate's own state.

SQLite: write-ahead log, ``synchronous=FULL`` (what was answered is on disk), foreign keys, and
transactions that take the write lock with their first change. Writers of one process, by whichever
engine, queue up for a turn of ours instead of SQLite's sleeping lock, the urgent ones first.
PostgreSQL: a connection that can't be made reads "connection failed", because the workflow engine
tells an outage from an error by these words.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from governance.database.turn import URGENT, turn_of

BUSY_TIMEOUT_MS = 30_000
SUBSEC_SINCE = (3, 42, 0)
"""The SQLite that knows ``unixepoch('subsec')``; Debian 12 has an older one."""
CHANGES = ("INSERT", "UPDATE", "DELETE", "REPLAC", "CREATE", "BEGIN ", "ALTER ", "DROP T")


def open_engine(home: Path, database_url: str, connections: int) -> sa.Engine:
    """An engine on ``database_url``, or on ``tiergate.sqlite`` in ``home`` where it is empty.

    At most ``connections`` are open at once.
    """
    if database_url and not database_url.startswith("sqlite"):
        return _postgresql(database_url, connections)
    url = database_url or f"sqlite:///{home / 'tiergate.sqlite'}"
    engine = sa.create_engine(url, pool_size=connections, max_overflow=0, pool_timeout=60)
    event.listen(engine, "connect", _prepare_sqlite)
    _queue_writers(engine)
    return engine


def close_engine(engine: sa.Engine) -> None:
    """Close every connection, each one that a thread is still at as soon as it gives it back."""

    @event.listens_for(engine, "checkin")
    def close(_: object, record: Any) -> None:  # pyright: ignore[reportUnusedFunction] - called by SQLAlchemy
        record.invalidate()  # a pool that was disposed of takes back what was out, and drops it open

    engine.dispose()


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = "IMMEDIATE"
    if sqlite3.sqlite_version_info < SUBSEC_SINCE:
        connection.create_function("unixepoch", 1, _unixepoch)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _unixepoch(_: str) -> float:
    """``unixepoch('subsec')``, which the engine's tables have as a default under Python 3.12 and later."""
    return round(time.time(), 3)


def _queue_writers(engine: sa.Engine) -> None:
    # SQLite has one writer anyway. Waiting for it on a lock costs nothing; its own busy handler sleeps up to 100 ms
    # between two looks, in which others come first, so under load it may wait for seconds.
    turn = turn_of(str(engine.url.database))

    @event.listens_for(engine, "before_cursor_execute")
    def take(  # pyright: ignore[reportUnusedFunction] - called by SQLAlchemy
        connection: sa.Connection, _cursor: Any, statement: str, *_: Any
    ) -> None:
        if statement.startswith(CHANGES) and "writing" not in connection.info:
            turn.take(urgent=bool(connection.get_execution_options().get(URGENT)))
            connection.info["writing"] = True

    @event.listens_for(engine, "checkin")
    @event.listens_for(engine, "invalidate")
    def give_back(_: object, record: Any, *__: Any) -> None:  # pyright: ignore[reportUnusedFunction] - called by SQLAlchemy
        if record.info.pop("writing", False):
            turn.give_back()


def _postgresql(database_url: str, connections: int) -> sa.Engine:
    import psycopg

    url = sa.make_url(database_url)
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)

    def connect() -> psycopg.Connection[Any]:
        try:
            return psycopg.connect(dsn)
        except psycopg.OperationalError as error:
            raise psycopg.OperationalError(f"connection failed: {error}") from error

    creator: Callable[[], Any] = connect
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        creator=creator,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=60,
        pool_pre_ping=True,
    )
