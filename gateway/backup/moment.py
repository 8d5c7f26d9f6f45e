"""All databases of a home as of one moment, while others write to them.

For an instant the right to write is taken in every file, so that no change is half in one and half in
another; in that instant a reader is opened on each, and the right given back. What the readers see
stays as it was (SQLite's snapshot isolation in WAL mode), however long the copying takes. Nobody who
writes holds one file while waiting for another, so nobody waits for ever; an instant is some milliseconds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

WAIT_S = 30.0
"""How long a writer of a file is waited for."""


@contextmanager
def one_moment(paths: Iterable[Path]) -> Generator[Mapping[Path, sqlite3.Connection]]:
    """A reader on each file, all of the same moment.

    Raises:
        sqlite3.Error: a file is damaged, or somebody wrote to it for longer than ``WAIT_S``.
    """
    with ExitStack() as readers:
        seen: dict[Path, sqlite3.Connection] = {}
        with ExitStack() as writers:
            paths = tuple(paths)
            for path in paths:
                writer = writers.enter_context(closing(_opened(path)))
                writer.execute("BEGIN IMMEDIATE")
            for path in paths:
                seen[path] = readers.enter_context(closing(_opened(path)))
                seen[path].execute("BEGIN")
                seen[path].execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield seen


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=WAIT_S, isolation_level=None)
