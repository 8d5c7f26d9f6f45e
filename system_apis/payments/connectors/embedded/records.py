"""The provider's ledger on SQLite: what one transaction does, as functions on a connection.

The table's own checks hold the invariants (refunded ≤ captured ≤ authorised, references unique),
so a fault in the code above them ends in an error and never in a wrong balance.
"""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Literal

from governance.contract.problems import NotFound
from system_apis.canonical.entities import Payment
from system_apis.canonical.refusals import ReferenceTaken, Tombstoned
from system_apis.canonical.values import Money
from system_apis.embedded import among, where
from system_apis.payments.port import PaymentFilter, PaymentMovement

SCHEMA = """
CREATE TABLE IF NOT EXISTS payment (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    reference TEXT NOT NULL UNIQUE,
    order_reference TEXT NOT NULL,
    account_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    captured_minor INTEGER NOT NULL DEFAULT 0 CHECK (captured_minor BETWEEN 0 AND amount_minor),
    refunded_minor INTEGER NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND captured_minor),
    voided INTEGER NOT NULL DEFAULT 0 CHECK (voided IN (0, 1) AND NOT (voided AND captured_minor)),
    fingerprint TEXT NOT NULL,
    created_us INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS payment_by_account ON payment (account_id, seq);
CREATE INDEX IF NOT EXISTS payment_by_order ON payment (order_reference, seq);
CREATE TABLE IF NOT EXISTS movement (
    reference TEXT PRIMARY KEY,
    payment_seq INTEGER NOT NULL REFERENCES payment (seq),
    kind TEXT NOT NULL CHECK (kind IN ('capture', 'refund')),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    created_us INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS tombstone (reference TEXT PRIMARY KEY, created_us INTEGER NOT NULL) STRICT;
"""

PAYMENT_ID = re.compile(r"PAY-(\d{8}|[1-9]\d{8,17})\Z", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PaymentStatus = Literal["authorized", "captured", "voided", "refunded", "partially_refunded"]


def microseconds(at: datetime) -> int:
    """``at`` as whole microseconds since 1970."""
    return (at - EPOCH) // timedelta(microseconds=1)


def payment_id(seq: int) -> str:
    """The number the provider shows for its ``seq``-th payment."""
    return f"PAY-{seq:08d}"


def sequence(identifier: str) -> int:
    """The inverse of ``payment_id``.

    Raises:
        NotFound: this is no number of ours.
    """
    if not PAYMENT_ID.match(identifier):
        raise NotFound
    return int(identifier.removeprefix("PAY-"))


def status_of(captured: int, refunded: int, voided: int) -> PaymentStatus:
    """The status word for the amounts of a payment, in minor units."""
    if voided:
        return "voided"
    if refunded:
        return "refunded" if refunded == captured else "partially_refunded"
    return "captured" if captured else "authorized"


def payment_of(row: sqlite3.Row) -> Payment:
    """The payment a row stands for."""
    amount, captured, refunded = row["amount_minor"], row["captured_minor"], row["refunded_minor"]
    currency = row["currency"]
    return Payment(
        payment_id=payment_id(row["seq"]),
        reference=row["reference"],
        order_reference=row["order_reference"],
        account_id=row["account_id"],
        amount=Money(amount, currency),
        captured=Money(captured, currency),
        refunded=Money(refunded, currency),
        status=status_of(captured, refunded, row["voided"]),
        created_at=EPOCH + timedelta(microseconds=row["created_us"]),
    )


def by_seq(connection: sqlite3.Connection, seq: int) -> sqlite3.Row | None:
    """The row of a payment number."""
    return connection.execute("SELECT * FROM payment WHERE seq = ?", (seq,)).fetchone()


def by_reference(connection: sqlite3.Connection, reference: str) -> sqlite3.Row | None:
    """The row of an authorisation's reference."""
    return connection.execute("SELECT * FROM payment WHERE reference = ?", (reference,)).fetchone()


def matching(connection: sqlite3.Connection, which: PaymentFilter, after: int, limit: int) -> list[sqlite3.Row]:
    """Rows above ``after`` that match, by rising number."""
    matches = (
        ("seq > ?", after),
        among("account_id", which.account_ids),
        ("reference = ?", which.reference),
        ("order_reference = ?", which.order_reference),
    )
    conditions, values = where(matches)
    rows = connection.execute(f"SELECT * FROM payment WHERE {conditions} ORDER BY seq LIMIT ?", (*values, limit))
    return rows.fetchall()


def bar(connection: sqlite3.Connection, reference: str, now_us: int) -> None:
    """Leave the mark that refuses a late original."""
    connection.execute("INSERT OR IGNORE INTO tombstone VALUES (?, ?)", (reference, now_us))


def refuse_barred(connection: sqlite3.Connection, reference: str) -> None:
    """Refuse a reference that was voided.

    Raises:
        Tombstoned
    """
    if connection.execute("SELECT 1 FROM tombstone WHERE reference = ?", (reference,)).fetchone():
        raise Tombstoned(reference=reference)


def refuse_other_content(row: sqlite3.Row, digest: str) -> None:
    """Refuse when the stored authorisation was made of other content than ``digest`` stands for.

    Raises:
        ReferenceTaken
    """
    if row["fingerprint"] != digest:
        raise ReferenceTaken(reference=row["reference"], record_id=payment_id(row["seq"]))


def movement_by_reference(connection: sqlite3.Connection, reference: str) -> PaymentMovement | None:
    """The capture or refund made under ``reference``."""
    row = connection.execute(
        "SELECT kind, payment_seq, movement.amount_minor, currency FROM movement"
        " JOIN payment ON payment.seq = payment_seq WHERE movement.reference = ?",
        (reference,),
    ).fetchone()
    if row is None:
        return None
    return PaymentMovement(
        reference=reference,
        payment_id=payment_id(row["payment_seq"]),
        kind=row["kind"],
        amount=Money(row["amount_minor"], row["currency"]),
    )
