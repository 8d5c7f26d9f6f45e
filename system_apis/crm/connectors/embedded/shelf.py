"""One kind of CRM record on SQLite: the record as JSON, and the references of everything done to it.

A table holds each record whole; the columns that are searched are generated from it by SQLite, so
they can't disagree with it. The table ``effect`` holds which reference did what: a reference is
one effect for ever, whether it made a record or changed it.

All methods run inside a transaction of the record file and leave nothing behind when they raise.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from governance.contract.problems import NotFound
from system_apis.canonical.refusals import ReferenceTaken
from system_apis.embedded import Match, fingerprint

T = TypeVar("T", bound=Struct)


class _Deed(Struct, frozen=True):
    """What a reference stands for: to which record (empty: a new one) what is done with which content."""

    verb: str
    record_id: str
    content: Struct | None


class Shelf(Generic[T]):
    """The records of ``entity`` in ``table``, numbered ``<prefix>-00000001`` and on in the column ``key``."""

    def __init__(self, entity: type[T], table: str, key: str, prefix: str = "") -> None:
        self._decoder = msgspec.json.Decoder(entity)
        self._table = table
        self._key = key
        self._prefix = prefix

    def create(self, connection: sqlite3.Connection, reference: str, draft: Struct, make: Callable[[str], T]) -> T:
        """The record that ``make`` gives for the next number, once per reference.

        Raises:
            ReferenceTaken: the reference stands for other content.
        """
        digest = fingerprint(_Deed("create", "", draft))
        known = self._done(connection, reference, digest)
        if known is not None:
            return known
        number = connection.execute(f"SELECT COALESCE(MAX(number), 0) + 1 FROM {self._table}").fetchone()[0]
        record_id = f"{self._prefix}-{number:08d}"
        record = make(record_id)
        connection.execute(
            f"INSERT INTO {self._table} (number, record) VALUES (?, ?)", (number, msgspec.json.encode(record).decode())
        )
        self._note(connection, reference, digest, record_id)
        return record

    def change(
        self,
        connection: sqlite3.Connection,
        record_id: str,
        account_id: str,
        reference: str,
        verb: str,
        step: Callable[[T], T],
        content: Struct | None = None,
    ) -> T:
        """The account's record after ``step``, taken once per reference.

        Raises:
            NotFound: there is no such record, or it is another account's.
            ReferenceTaken: the reference stands for something else.
        """
        stored = self.get(connection, record_id, account_id)
        digest = fingerprint(_Deed(verb, record_id, content))
        known = self._done(connection, reference, digest)
        if known is not None:
            return known
        changed = step(stored)
        connection.execute(
            f"UPDATE {self._table} SET record = ? WHERE {self._key} = ?",
            (msgspec.json.encode(changed).decode(), record_id),
        )
        self._note(connection, reference, digest, record_id)
        return changed

    def get(self, connection: sqlite3.Connection, record_id: str, account_id: str | None = None) -> T:
        """The record, of this account where one is named.

        Raises:
            NotFound: there is none.
        """
        row = connection.execute(
            f"SELECT record FROM {self._table} WHERE {self._key} = ? AND account_id = COALESCE(?, account_id)",
            (record_id, account_id),
        ).fetchone()
        if row is None:
            raise NotFound
        return self._decoder.decode(row["record"])

    def find(self, connection: sqlite3.Connection, reference: str) -> T | None:
        """The record that ``reference`` made or changed."""
        row = self._effect(connection, reference)
        return None if row is None else self.get(connection, row["record_id"])

    def page(
        self, connection: sqlite3.Connection, matches: Iterable[Match], after: str | None, limit: int
    ) -> tuple[T, ...]:
        """At most ``limit`` records whose key is above ``after``, by key."""
        asked = [
            (condition, value) for condition, value in ((f"{self._key} > ?", after), *matches) if value is not None
        ]
        where = " AND ".join(condition for condition, _ in asked) or "TRUE"
        rows = connection.execute(
            f"SELECT record FROM {self._table} WHERE {where} ORDER BY {self._key} LIMIT ?",
            (*(value for _, value in asked), limit),
        )
        return tuple(self._decoder.decode(row["record"]) for row in rows)

    def _done(self, connection: sqlite3.Connection, reference: str, digest: str) -> T | None:
        row = self._effect(connection, reference)
        if row is None:
            return None
        if row["fingerprint"] != digest:
            raise ReferenceTaken(reference=reference, record_id=row["record_id"])
        return self.get(connection, row["record_id"])

    def _effect(self, connection: sqlite3.Connection, reference: str) -> sqlite3.Row | None:
        return connection.execute(
            "SELECT fingerprint, record_id FROM effect WHERE kind = ? AND reference = ?", (self._table, reference)
        ).fetchone()

    def _note(self, connection: sqlite3.Connection, reference: str, digest: str, record_id: str) -> None:
        connection.execute("INSERT INTO effect VALUES (?, ?, ?, ?)", (self._table, reference, digest, record_id))
