"""The database: whether it answers, and which migrations the next start runs in it.

SQLite is opened read-only; a file that is not there is not made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError, ProgrammingError, SQLAlchemyError

from gateway.checking.finding import Finding
from gateway.settings import Settings
from governance.database import Migrations

CONNECT_S = 3
FILE = "tiergate.sqlite"


def examine_database(settings: Settings, migrations: Sequence[Migrations]) -> Iterator[Finding]:
    """Read the version of each package's tables."""
    url = settings.database.url
    if url.startswith("postgresql"):
        engine = sa.create_engine(
            sa.make_url(url).set(drivername="postgresql+psycopg"),
            connect_args={"connect_timeout": CONNECT_S, "options": "-c default_transaction_read_only=on"},
        )
    else:
        file = Path(sa.make_url(url).database or "") if url else settings.home / FILE
        if not file.is_file():
            yield Finding(what="database", result="ok", detail=f"{file} is made at the first start")
            return
        engine = sa.create_engine(f"sqlite:///file:{_quoted(file)}?{_mode(file)}&uri=true")
    try:
        yield from _versions(engine, migrations)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
        yield Finding(
            what="database",
            result="failed",
            detail=f"It can't be read: {reason}.",
            advice="Start it, or correct database.url; until it answers no gateway starts.",
        )
    finally:
        engine.dispose()


def _mode(file: Path) -> str:
    # A write-ahead log that nobody has open can only be read by making a file beside it; without one there is
    # nothing in it, and the file itself may be read as one that nobody writes.
    return "mode=ro" if file.with_name(f"{file.name}-wal").exists() else "mode=ro&immutable=1"


def _quoted(file: Path) -> str:
    return str(file.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _versions(engine: sa.Engine, migrations: Sequence[Migrations]) -> Iterator[Finding]:
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))
    yield Finding(what="database", result="ok", detail="it answers")
    for one in migrations:
        yield _compared(one, _current(engine, one.version_table))


def _current(engine: sa.Engine, table: str) -> str:
    try:
        with engine.connect() as connection:
            return connection.execute(sa.text(f"SELECT version_num FROM {table}")).scalar() or ""
    except (OperationalError, ProgrammingError):  # no such table yet
        return ""


def _compared(migrations: Migrations, current: str) -> Finding:
    what, head = f"tables of {migrations.package}", migrations.head
    if current == head:
        return Finding(what=what, result="ok", detail=f"at {head}")
    if not current:
        return Finding(what=what, result="ok", detail="are made at the next start")
    if current not in migrations.revisions:
        return Finding(
            what=what,
            result="failed",
            detail=f"The database is of a newer Tiergate: they are at {current}, this one knows {head}.",
            advice="Install the version that wrote it, or restore the backup from before.",
        )
    return Finding(
        what=what,
        result="warning",
        detail=f"They are at {current}; the next start brings them to {head}.",
        advice="Back the database up first.",
    )
