"""How the embedded ERP numbers, dates and keys its documents: the same for all of them."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from msgspec import Struct

from governance.contract.problems import NotFound
from system_apis.canonical.refusals import ReferenceTaken, Tombstoned
from system_apis.embedded import among, fingerprint
from system_apis.erp.port import DocumentFilter

FIRST_NUMBER = 100_000
UNDONE_STATES = frozenset({"released", "cancelled"})


def stamp(at: datetime) -> str:
    """An instant as the file keeps it: UTC text of fixed width, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def instant(text: str) -> datetime:
    """The instant of a stamp."""
    return datetime.fromisoformat(text)


def number(prefix: str, key: int) -> str:
    """The document number of a key, such as ``SO-100001``."""
    return f"{prefix}-{FIRST_NUMBER + key}"


def key_of(prefix: str, document: str) -> int:
    """The key of a document number.

    Raises:
        NotFound: no document is numbered like this.
    """
    head, _, digits = document.rpartition("-")
    if head != prefix or not digits.isascii() or not digits.isdecimal() or len(digits) > 15:
        raise NotFound()
    return int(digits) - FIRST_NUMBER


def stored(connection: sqlite3.Connection, table: str, prefix: str, reference: str, content: Struct) -> int | None:
    """The key of the document already posted under ``reference`` with this very content; None for none.

    Raises:
        ReferenceTaken: it was posted with other content.
        Tombstoned: it was undone.
    """
    row = connection.execute(f"SELECT * FROM {table} WHERE reference = ?", (reference,)).fetchone()
    if row is None:
        return None
    if row["status"] in UNDONE_STATES:
        raise Tombstoned(reference=reference)
    if row["fingerprint"] != fingerprint(content):
        raise ReferenceTaken(reference=reference, record_id=number(prefix, row["key"]))
    return int(row["key"])


def refuse_undone(connection: sqlite3.Connection, kind: str, reference: str, account_id: str) -> None:
    """Refuse a write whose undo came first.

    Raises:
        Tombstoned: it did.
    """
    mark = (kind, reference, account_id)
    sql = "SELECT 1 FROM undone WHERE kind = ? AND reference = ? AND account_id = ?"
    if connection.execute(sql, mark).fetchone():
        raise Tombstoned(reference=reference)


def leave_tombstone(connection: sqlite3.Connection, kind: str, reference: str, account_id: str, now: datetime) -> None:
    """Bar ``reference``, so that its late original is refused."""
    connection.execute("INSERT OR IGNORE INTO undone VALUES (?, ?, ?, ?)", (kind, reference, account_id, stamp(now)))


def selection(which: DocumentFilter, after: int, limit: int, sales_order: int | None) -> tuple[str, list[str | int]]:
    """The rest of a ``SELECT … FROM documents`` for a filter, and its values."""
    clauses, values = ["key > ?"], list[str | int]((after,))
    wanted = (
        among("account_id", which.account_ids),
        ("reference = ?", which.reference),
        ("status = ?", which.status),
        ("sales_order = ?", sales_order),
    )
    for clause, value in wanted:
        if value is not None:
            clauses.append(clause)
            values.append(value)
    return f"WHERE {' AND '.join(clauses)} ORDER BY key LIMIT ?", [*values, limit]
