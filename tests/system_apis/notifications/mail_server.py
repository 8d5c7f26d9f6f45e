"""A real SMTP server on loopback (aiosmtpd), which answers as it is told."""

from __future__ import annotations

import asyncio
import ssl
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from governance.egress.mail import MailServer, Security

USER, PASSWORD = "tiergate", "open sesame"


class MailHost:
    """Keeps what it takes. ``replies`` are used up one by one; after them everything is taken."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, implicit: bool = False, login: bool = False) -> None:
        self.taken: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.replies: dict[str, list[str]] = {"MAIL": [], "RCPT": [], "DATA": []}
        """Of each command: a reply such as ``550 5.1.1 Unknown``, ``drop`` (the connection ends) or ``hang``."""
        self.connections = 0
        self._tls = tls
        self._implicit = implicit
        self._login = login
        self._server: asyncio.Server | None = None
        self._released = asyncio.Event()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def at(self, security: Security, **more: str) -> MailServer:
        """The server as a client knows it."""
        return MailServer(host="localhost", port=self.port, security=security, own_name="shop.example", **more)

    async def __aenter__(self) -> MailHost:
        context = self._tls if self._implicit else None
        self._server = await asyncio.get_running_loop().create_server(self._session, "127.0.0.1", 0, ssl=context)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._released.set()
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    def _session(self) -> SMTP:
        self.connections += 1
        starttls = None if self._implicit else self._tls
        return SMTP(
            self,
            hostname="mail.example",
            enable_SMTPUTF8=True,
            tls_context=starttls,
            auth_required=self._login,
            auth_require_tls=not self._implicit,
            authenticator=self._authenticate,
            loop=asyncio.get_running_loop(),
        )

    def _authenticate(self, _: SMTP, __: Session, ___: Envelope, _mechanism: str, given: Any) -> AuthResult:
        login = cast(LoginPassword, given)
        return AuthResult(success=(login.login, login.password) == (USER.encode(), PASSWORD.encode()), handled=False)

    async def handle_MAIL(self, server: SMTP, _: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name
        envelope.mail_from = address
        return await self._reply("MAIL", server, "250 2.1.0 Go on")

    async def handle_RCPT(self, server: SMTP, _: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name
        reply = await self._reply("RCPT", server, "250 2.1.5 Go on")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        following = self.replies["DATA"][:1]
        if not following or following[0] in ("drop", "hang"):  # it has the message, whether or not it can say so
            mail = message_from_bytes(cast("bytes", envelope.content), policy=policy.SMTP)
            self.taken.append(mail)
            self.envelopes.append((str(envelope.mail_from), list(envelope.rcpt_tos)))
        return await self._reply("DATA", server, "250 2.0.0 Queued as 7F3A")

    async def _reply(self, command: str, server: SMTP, otherwise: str) -> str:
        if not self.replies[command]:
            return otherwise
        reply = self.replies[command].pop(0)
        if reply == "drop":
            cast("asyncio.Transport", server.transport).abort()
            await self._released.wait()
        if reply == "hang":
            await self._released.wait()
        return reply
