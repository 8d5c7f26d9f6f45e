"""Brings the tables of one package to this version, once, whoever starts first.

Each package that keeps tables has its own folder of Alembic revisions and its own version table, so
none waits for another's. A start that finds them current costs one SELECT. Otherwise one process
migrates while the others wait: a lock file beside SQLite, an advisory lock in PostgreSQL. A
migration that fails leaves the tables as they were; the start fails with its error. Tables of a newer
version are left alone, and the start fails with a sentence that says what to do.
"""

from __future__ import annotations

import fcntl
import logging
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.exc import OperationalError, ProgrammingError

SCRIPTS = Path(__file__).parent / "scripts"
ADVISORY_LOCK = 7_416_033_001
LOOK_S = 0.05


class NewerDatabase(RuntimeError):
    """The tables were brought to a revision that this version does not know."""


class Migrations(Struct, frozen=True, kw_only=True):
    """The revisions of one package: files ``NNNN_what_changes.py``, each named after its revision."""

    folder: Path
    version_table: str

    @property
    def package(self) -> str:
        """Whose tables they are."""
        return self.folder.parent.name

    @property
    def revisions(self) -> frozenset[str]:
        """The revisions that the code knows."""
        return frozenset(file.stem.split("_", 1)[0] for file in self.folder.glob("[0-9]*_*.py"))

    @property
    def head(self) -> str:
        """The revision that the code needs: the highest."""
        return max(self.revisions)

    def refuse_newer(self, current: str | None) -> None:
        """Refuse tables at a revision that the code does not know.

        Raises:
            NewerDatabase: they are; the message says what to do.
        """
        if current and current not in self.revisions:
            raise NewerDatabase(
                f"The database is of a newer Tiergate (the tables of {self.package} are at {current}, this version knows "
                f"{self.head}); install the version that wrote it, or restore the backup from before."
            )


def migrate(engine: sa.Engine, home: Path, migrations: Migrations) -> None:
    """Create or change the tables where they are not at the head.

    Raises:
        NewerDatabase: they are of a newer version of the code, and stay as they are.
        sqlalchemy.exc.OperationalError: the database can't be reached.
    """
    with one_at_a_time(engine, home):
        _upgrade(engine, migrations)


@contextmanager
def one_at_a_time(engine: sa.Engine, home: Path) -> Generator[None]:
    """Keep every other process of this database out meanwhile."""
    if engine.dialect.name == "sqlite":
        with (home / ".migrating.lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
    else:
        # An index that is made concurrently waits for every open transaction and statement. So the lock is held
        # outside a transaction, and asked for again and again instead of in one statement that waits.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not connection.execute(sa.select(sa.func.pg_try_advisory_lock(ADVISORY_LOCK))).scalar():
                time.sleep(LOOK_S)
            try:
                yield
            finally:
                connection.execute(sa.select(sa.func.pg_advisory_unlock(ADVISORY_LOCK)))


def _current(engine: sa.Engine, version_table: str) -> str | None:
    try:
        with engine.connect() as connection:
            return connection.execute(sa.text(f"SELECT version_num FROM {version_table}")).scalar()
    except (OperationalError, ProgrammingError):  # no table yet; a database that is away fails below
        return None


def _upgrade(engine: sa.Engine, migrations: Migrations) -> None:
    current = _current(engine, migrations.version_table)
    if current == migrations.head:
        return
    migrations.refuse_newer(current)
    # Alembic takes a tenth of a second to import, which only a start that migrates should pay.
    from alembic import command
    from alembic.config import Config

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", _escaped(SCRIPTS))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", _escaped(migrations.folder))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        config.attributes["version_table"] = migrations.version_table
        command.upgrade(config, "head")


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")
