"""Conditions of searches, run by SQLite."""

from __future__ import annotations

import sqlite3

import pytest

from system_apis.embedded import among, where


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (None, ["a", "b", "b'", None]),
        ((), []),
        (("b",), ["b"]),
        (("b'", "a", "nobody"), ["a", "b'"]),
        (("b' OR 1=1 --",), []),
    ],
)
def test_a_column_is_among_values(asked: tuple[str, ...] | None, found: list[str | None]) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE record (owner TEXT)")
    connection.executemany("INSERT INTO record VALUES (?)", [("a",), ("b",), ("b'",), (None,)])
    conditions, values = where((("rowid > ?", 0), among("owner", asked), ("owner = ?", None)))
    rows = connection.execute(f"SELECT owner FROM record WHERE {conditions} ORDER BY rowid", values)
    assert [row[0] for row in rows] == found
    connection.close()


def test_nothing_asked_is_everything() -> None:
    assert where((among("owner", None),)) == ("TRUE", ())
