"""The change log of an embedded system: a table that triggers write, in the transaction of the change itself.

A read is one range of the primary key. Rows that more than ``KEPT`` newer ones followed are dropped by
the trigger that writes the next.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from system_apis.canonical.changes import Change, Changes

KEPT = 100_000
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS change_log (
    position INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, record TEXT NOT NULL, place TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS change_log_kept AFTER INSERT ON change_log WHEN new.position % 1000 = 0 BEGIN
    DELETE FROM change_log WHERE position <= new.position - {KEPT};
END;
"""


def logged(table: str, moment: str, kind: str, record: str, *, place: str = "''", when: str = "1") -> str:
    """A trigger that logs what happens to a table at a ``moment`` such as ``AFTER INSERT``; the rest are SQL expressions."""
    name = f"{table}_{moment.replace(' ', '_').lower()}_logged"
    return f"""
CREATE TRIGGER IF NOT EXISTS {name} {moment} ON {table} WHEN {when} BEGIN
    INSERT INTO change_log (kind, record, place) VALUES ('{kind}', {record}, {place});
END;
"""


def unlogged(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], None]) -> None:
    """Do ``work``, such as filling a new file, without leaving changes."""
    newest = _newest(connection)
    work(connection)
    connection.execute("DELETE FROM change_log WHERE position > ?", (newest,))


def read(connection: sqlite3.Connection, after: int, limit: int, record_id: Callable[[str, str], str]) -> Changes:
    """Up to ``limit`` changes above ``after``; ``record_id`` gives the id of a kind's record as it was logged."""
    rows = connection.execute(
        "SELECT * FROM change_log WHERE position > ? ORDER BY position LIMIT ?", (after, limit)
    ).fetchall()
    items = tuple(
        Change(
            position=row["position"],
            kind=row["kind"],
            record_id=record_id(row["kind"], row["record"]),
            place=row["place"],
        )
        for row in rows
    )
    return Changes(items=items, position=items[-1].position if items else min(after, _newest(connection)))


def _newest(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'change_log'").fetchone()
    return int(row["seq"]) if row else 0
