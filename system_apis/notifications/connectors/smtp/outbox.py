"""The outbox: who may hand a message over, and what became of it. Every function is one transaction's work.

A message is kept before it leaves. Handing it over is leased: of several that want to send it at the
same moment one does. A process that dies with it leaves the lease to run out, and the message is
handed over again under the same ``Message-ID``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.dialects import postgresql, sqlite

from governance.database import Migrations
from system_apis.canonical.refusals import MessageRefused, ReferenceTaken
from system_apis.notifications.connectors.smtp.tables import mail
from system_apis.notifications.messages import Message
from system_apis.notifications.port import MessageFilter

MIGRATIONS = Migrations(folder=Path(__file__).parent / "migrations", version_table="mail_version")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MESSAGE = msgspec.json.Decoder(Message)


class Held(Struct, frozen=True, kw_only=True):
    """A message that is ours to hand over; with nothing to do where it has left already."""

    seq: int
    message: Message
    to_send: bool


class Busy(Exception):
    """Somebody else hands it over now; whether they manage is known after ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def keep(connection: sa.Connection, first: Message, digest: str, now: datetime, lease_s: float) -> Held:
    """Keep a new message, or find the one of its reference, and take the handing over.

    Raises:
        Busy: somebody else has it.
        MessageRefused: it was refused for good.
        ReferenceTaken: the reference stands for other content.
    """
    insert: Any = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(mail)
    until_us = _us(now) + int(lease_s * 1_000_000)
    row = {
        "reference": first.reference,
        "fingerprint": digest,
        "account_id": first.account_id,
        "template": first.template,
        "status": "accepted",
        "document": msgspec.json.encode(first).decode(),
        "code": 0,
        "taken_until_us": until_us,
        "created_us": _us(now),
        "refusal": "",
    }
    seq = connection.execute(insert.values(row).on_conflict_do_nothing().returning(mail.c.seq)).scalar()
    if seq is not None:
        return Held(seq=seq, message=_numbered(first, seq), to_send=True)
    known = connection.execute(sa.select(mail).where(mail.c.reference == first.reference).with_for_update()).one()
    if known.fingerprint != digest:
        raise ReferenceTaken(reference=first.reference, record_id=message_id(known.seq))
    if known.status == "refused":
        raise MessageRefused(code=known.code, detail=known.refusal)
    if known.status == "sent":
        return Held(seq=known.seq, message=shown(known), to_send=False)
    free = sa.update(mail).where(
        mail.c.seq == known.seq, mail.c.status == "accepted", mail.c.taken_until_us <= _us(now)
    )
    if not connection.execute(free.values(taken_until_us=until_us)).rowcount:
        raise Busy(max(0.0, (known.taken_until_us - _us(now)) / 1_000_000))
    return Held(seq=known.seq, message=shown(known), to_send=True)


def sent(connection: sa.Connection, seq: int, now: datetime) -> Message:
    """The next mail system has it."""
    return _settled(connection, seq, status="sent", sent_us=_us(now))


def refused(connection: sa.Connection, seq: int, code: int, words: str) -> Message:
    """No mail system will take it."""
    return _settled(connection, seq, status="refused", code=code, refusal=f"{code} {words}".strip())


def let_go(connection: sa.Connection, seq: int) -> None:
    """It was not handed over, or nobody knows: whoever asks next may try."""
    connection.execute(sa.update(mail).where(mail.c.seq == seq, mail.c.status == "accepted").values(taken_until_us=0))


def find(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> Message | None:
    """The one message of which this is true."""
    row = connection.execute(sa.select(mail).where(condition)).one_or_none()
    return None if row is None else shown(row)


def search(connection: sa.Connection, which: MessageFilter, after: int, limit: int) -> tuple[tuple[int, Message], ...]:
    """Matching messages with their key, by rising key."""
    query = sa.select(mail).where(mail.c.seq > after).order_by(mail.c.seq).limit(limit)
    if which.account_ids is not None:
        query = query.where(mail.c.account_id.in_(which.account_ids))
    for column, value in (
        (mail.c.reference, which.reference),
        (mail.c.template, which.template),
        (mail.c.status, which.status),
    ):
        if value is not None:
            query = query.where(column == value)
    return tuple((row.seq, shown(row)) for row in connection.execute(query))


def shown(row: Any) -> Message:
    """The message of a row."""
    message = _numbered(MESSAGE.decode(row.document), row.seq)
    sent_at = None if row.sent_us is None else EPOCH + row.sent_us * MICROSECOND
    return replace(message, status=row.status, sent_at=sent_at, refusal=row.refusal)


def message_id(seq: int) -> str:
    """The number of a message."""
    return f"MSG-{seq:08d}"


def _settled(connection: sa.Connection, seq: int, **values: Any) -> Message:
    done = sa.update(mail).where(mail.c.seq == seq, mail.c.status == "accepted").values(taken_until_us=0, **values)
    connection.execute(done)
    return shown(connection.execute(sa.select(mail).where(mail.c.seq == seq)).one())


def _numbered(message: Message, seq: int) -> Message:
    return replace(message, message_id=message_id(seq))


def _us(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND
