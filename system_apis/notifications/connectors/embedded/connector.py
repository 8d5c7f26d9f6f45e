"""The embedded mailbox: messages are written from their templates and kept in a file, for the API to show.

Every message is one row in one transaction, flushed to disk before it is answered. Nothing leaves
the machine. It depends on nothing but its file; one that can't be written is ``SystemUnavailable``.
"""

from __future__ import annotations

import sqlite3

import msgspec
from msgspec import Struct

from governance.call import Clock
from governance.contract.problems import NotFound
from system_apis.canonical.refusals import ReferenceTaken
from system_apis.canonical.values import RecordId, Reference
from system_apis.embedded import RecordFiles, among, fingerprint, where
from system_apis.notifications.letters import DEFAULT_SIGNATURE, Letters
from system_apis.notifications.messages import Message, Outgoing
from system_apis.notifications.port import MessageFilter

SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    seq INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL, account_id TEXT NOT NULL,
    template TEXT NOT NULL, status TEXT NOT NULL, document TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS messages_of ON message (account_id, seq);
"""
MESSAGE = msgspec.json.Decoder(Message)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How messages are written."""

    templates: str = ""
    """A folder of the company's own templates, which come before those of Tiergate; empty for none."""
    signature: str = DEFAULT_SIGNATURE
    """Who signs the messages."""


class Connector:
    """A ``NotificationsPort`` on the record file ``notifications``."""

    def __init__(self, settings: Settings, files: RecordFiles, clock: Clock) -> None:
        self._letters = Letters(settings.templates, settings.signature)
        self._file = files.open("notifications", SCHEMA)
        self._clock = clock

    async def start(self) -> None:
        """Nothing to start: the file is open since this was made."""

    async def stop(self) -> None:
        """Nothing to stop: the record files are closed by who made them."""

    async def send_message(self, message: Outgoing, reference: Reference) -> Message:
        """Put the message into the mailbox, once per reference."""
        digest = fingerprint(message)
        now = self._clock.now()

        def transaction(connection: sqlite3.Connection) -> Message:
            row = _by(connection, "reference", reference)
            if row is None:
                seq = connection.execute("SELECT coalesce(max(seq), 0) + 1 FROM message").fetchone()[0]
                letter = self._letters.write(message.content, message.language)
                kept = letter.message(_message_id(seq), reference, message, "delivered", now, sent_at=now)
                document = msgspec.json.encode(kept).decode()
                values = (seq, reference, digest, kept.account_id, kept.template, kept.status, document)
                connection.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)", values)
                return kept
            if row["fingerprint"] != digest:
                raise ReferenceTaken(reference=reference, record_id=_message_id(row["seq"]))
            return MESSAGE.decode(row["document"])

        return await self._file.write(transaction)

    async def get_message(self, message_id: RecordId) -> Message:
        """The message of this number."""
        number = message_id.removeprefix("MSG-")
        seq = int(number) if number.isascii() and number.isdecimal() and len(number) < 18 else 0
        row = await self._file.read(lambda connection: _by(connection, "seq", seq))
        if row is None or _message_id(seq) != message_id:
            raise NotFound
        return MESSAGE.decode(row["document"])

    async def list_messages(self, which: MessageFilter, after: int, limit: int) -> tuple[tuple[int, Message], ...]:
        """Matching messages above the key ``after``."""
        conditions, values = where(
            (
                ("seq > ?", after),
                among("account_id", which.account_ids),
                ("reference = ?", which.reference),
                ("template = ?", which.template),
                ("status = ?", which.status),
            )
        )
        sql = f"SELECT seq, document FROM message WHERE {conditions} ORDER BY seq LIMIT ?"
        rows = await self._file.read(lambda connection: connection.execute(sql, (*values, limit)).fetchall())
        return tuple((row["seq"], MESSAGE.decode(row["document"])) for row in rows)

    async def find_message_by_reference(self, reference: Reference) -> Message | None:
        """The message sent under ``reference``."""
        row = await self._file.read(lambda connection: _by(connection, "reference", reference))
        return None if row is None else MESSAGE.decode(row["document"])


def _by(connection: sqlite3.Connection, column: str, value: str | int) -> sqlite3.Row | None:
    return connection.execute(f"SELECT * FROM message WHERE {column} = ?", (value,)).fetchone()


def _message_id(seq: int) -> str:
    return f"MSG-{seq:08d}"
