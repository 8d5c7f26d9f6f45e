"""Mail by SMTP submission (RFC 6409), through the one way out.

A message is written and kept in Tiergate's own database, then handed over, then marked as sent. Where the
outcome of handing it over is unknown (the answer to DATA was lost, the process died, the database went
away) the next call under its reference hands it over again with the same ``Message-ID``: a reader's mail
system may show it twice, it is never lost. What the server refuses for good stays refused under its reference.

A server or a database that is away is ``SystemUnavailable``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

import sqlalchemy as sa
from msgspec import Meta, Struct

from governance.call import Clock
from governance.contract.problems import NotFound
from governance.contract.refusals import SystemUnavailable
from governance.database import Database, DatabaseAway
from governance.egress import MailClient, MailRefused, MailServer
from governance.egress.mail import Security
from governance.egress.settings import Port
from system_apis.canonical.refusals import MessageRefused
from system_apis.canonical.values import RecordId, Reference
from system_apis.embedded import fingerprint
from system_apis.notifications.connectors.smtp import outbox
from system_apis.notifications.connectors.smtp.envelope import Sender, mail_of
from system_apis.notifications.connectors.smtp.tables import mail
from system_apis.notifications.letters import DEFAULT_SIGNATURE, Letters
from system_apis.notifications.messages import ADDRESS, Message, Outgoing, PersonName
from system_apis.notifications.port import MessageFilter

T = TypeVar("T")
Host = Annotated[
    str, Meta(min_length=1, max_length=253, pattern=r"^[^\s/]+$", description="a host, such as smtp.example.com")
]
Address = Annotated[
    str, Meta(max_length=254, pattern=f"^{ADDRESS}$", description="a mail address, such as orders@example.com")
]
OptionalAddress = Annotated[
    str, Meta(max_length=254, pattern=f"^({ADDRESS})?$", description="a mail address, or empty")
]
LEASE_MARGIN_S = 5.0
"""How much longer a message is ours than handing it over may take."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mail server, who mail is from, and how it is written. Timeouts and the like are ``egress`` settings."""

    host: Host
    sender: Address
    port: Port = 587
    security: Security = "starttls"
    username: str = ""
    password: str = ""
    """``env:NAME`` or ``file:PATH``."""
    sender_name: PersonName = ""
    reply_to: OptionalAddress = ""
    templates: str = ""
    """A folder of the company's own templates, which come before those of Tiergate; empty for none."""
    signature: str = DEFAULT_SIGNATURE
    """Who signs the messages."""

    def __post_init__(self) -> None:
        if self.username and self.security == "none":
            raise ValueError("a password is not sent in clear: set security to starttls or tls")


class Connector:
    """A ``NotificationsPort`` on a mail server."""

    def __init__(self, settings: Settings, way_out: MailClient, database: Database, clock: Clock) -> None:
        self._letters = Letters(settings.templates, settings.signature)
        self._sender = Sender(address=settings.sender, name=settings.sender_name, reply_to=settings.reply_to)
        self._server = MailServer(
            host=settings.host,
            port=settings.port,
            security=settings.security,
            own_name=self._sender.domain,
            username=settings.username,
            password=settings.password,
        )
        self._way_out = way_out
        self._database = database
        self._clock = clock
        database.adopt(outbox.MIGRATIONS)

    async def start(self) -> None:
        """Nothing to start: the database is open, and each message has a connection of its own."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def send_message(self, message: Outgoing, reference: Reference) -> Message:
        """Keep the message and hand it over, once per reference."""
        held = await self._take(message, reference)
        if not held.to_send:
            return held.message
        seq = held.seq
        try:
            await self._way_out.send(
                self._server, self._sender.address, message.to, mail_of(held.message, self._sender)
            )
        except MailRefused as refusal:
            code, words = refusal.code, refusal.words
            kept = await self._write(lambda connection: outbox.refused(connection, seq, code, words))
            raise MessageRefused(code=code, detail=kept.refusal) from refusal
        except Exception:
            await self._write(lambda connection: outbox.let_go(connection, seq))
            raise
        return await self._write(lambda connection: outbox.sent(connection, seq, self._clock.now()))

    async def get_message(self, message_id: RecordId) -> Message:
        """The message of this number."""
        number = message_id.removeprefix("MSG-")
        seq = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0
        found = await self._read(lambda connection: outbox.find(connection, mail.c.seq == seq))
        if found is None or found.message_id != message_id:
            raise NotFound
        return found

    async def list_messages(self, which: MessageFilter, after: int, limit: int) -> tuple[tuple[int, Message], ...]:
        """Matching messages above the key ``after``."""
        return await self._read(lambda connection: outbox.search(connection, which, after, limit))

    async def find_message_by_reference(self, reference: Reference) -> Message | None:
        """The message sent under ``reference``."""
        return await self._read(lambda connection: outbox.find(connection, mail.c.reference == reference))

    async def _take(self, message: Outgoing, reference: str) -> outbox.Held:
        now = self._clock.now()
        digest = fingerprint(message)
        lease_s = self._way_out.longest_s + LEASE_MARGIN_S

        def work(connection: sa.Connection) -> outbox.Held:
            letter = self._letters.write(message.content, message.language)
            first = letter.message("MSG-0", reference, message, "accepted", now)
            return outbox.keep(connection, first, digest, now, lease_s)

        try:
            return await self._write(work)
        except outbox.Busy as busy:
            raise SystemUnavailable(detail="The message is on its way.", retry_after_s=min(busy.seconds, 1.0)) from None

    async def _read(self, work: Callable[[sa.Connection], T]) -> T:
        try:
            return await self._database.read(work)
        except DatabaseAway as error:
            raise SystemUnavailable(detail="The outbox of mail is away.") from error

    async def _write(self, work: Callable[[sa.Connection], T]) -> T:
        try:
            return await self._database.write(work)
        except DatabaseAway as error:
            raise SystemUnavailable(detail="The outbox of mail is away.") from error
