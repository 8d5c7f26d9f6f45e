"""The database of Tiergate's own state for parts that read and write a little: codes, families, entries.

Work runs on threads, never on the event loop. A write has been flushed to disk when it returns, and
goes on to its end whoever stops waiting for it. A database that is away raises ``DatabaseAway``:
what needs it refuses, and what does not goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from governance.database.engine import open_engine
from governance.database.migration import Migrations, migrate

T = TypeVar("T")
THREADS = 4
CONNECTIONS = 4


class DatabaseAway(RuntimeError):
    """The database did not answer; a write that was under way may or may not be kept."""


class Database:
    """SQLite in ``home``, or PostgreSQL at ``url``; opened by ``start``, which migrates what was adopted."""

    def __init__(self, home: Path, url: str = "") -> None:
        self._home = home
        self._url = url
        self._adopted: list[Migrations] = []
        self._engine: sa.Engine | None = None
        self._threads: ThreadPoolExecutor | None = None

    def adopt(self, migrations: Migrations) -> None:
        """Have these tables made or changed at the start; before ``start``."""
        self._adopted.append(migrations)

    @property
    def adopted(self) -> tuple[Migrations, ...]:
        """Whose tables this process keeps in it."""
        return tuple(self._adopted)

    async def start(self) -> None:
        """Open the database and bring every adopted package's tables to this version.

        Raises:
            OSError: the home can't be written.
            NewerDatabase: a newer version of Tiergate wrote it.
            sqlalchemy.exc.OperationalError: the database can't be reached.
        """
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="database")
        await asyncio.get_running_loop().run_in_executor(self._threads, self._open)

    async def stop(self) -> None:
        """Let work under way end, and close every connection."""
        if self._threads is not None:
            await asyncio.to_thread(self._threads.shutdown)
            self._threads = None
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """What ``work`` reads.

        Raises:
            DatabaseAway: it can't be read now.
        """
        return await self._on_threads(lambda: self.read_here(work))

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """What ``work`` returns, after everything it wrote is on disk; undone when it raises.

        Raises:
            DatabaseAway: nothing was written, or its fate is unknown.
        """
        return await asyncio.shield(self._on_threads(lambda: self.write_here(work)))

    def read_here(self, work: Callable[[sa.Connection], T]) -> T:
        """As ``read``, on the calling thread, which must not be the event loop's."""
        with _told_apart(), self._opened.connect() as connection:
            return work(connection)

    def write_here(self, work: Callable[[sa.Connection], T]) -> T:
        """As ``write``, on the calling thread, which must not be the event loop's."""
        with _told_apart(), self._opened.begin() as connection:
            return work(connection)

    async def _on_threads(self, work: Callable[[], T]) -> T:
        if self._threads is None:
            raise DatabaseAway("the database is not open")
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _open(self) -> None:
        if not self._adopted:
            return
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._engine = open_engine(self._home, self._url, CONNECTIONS)
        for migrations in self._adopted:
            migrate(self._engine, self._home, migrations)

    @property
    def _opened(self) -> sa.Engine:
        if self._engine is None:
            raise DatabaseAway("no part of this process adopted the database")
        return self._engine


@contextmanager
def _told_apart() -> Generator[None]:
    """Tell a database that is away from work that is wrong."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolExhausted) as error:
        raise DatabaseAway("the database does not answer") from error
