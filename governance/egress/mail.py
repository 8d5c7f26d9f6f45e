"""The way out to a mail server: what a connector holds in place of an SMTP client.

One message to one reader a call. It obeys what ``[systems.<api>.egress]`` says of any vendor: maintenance
windows, the breaker, places and quota over processes, the timeouts, and the call's own deadline. It repeats nothing:
the caller does, under the same ``Message-ID``. The server is the operator's, as every vendor is: no address of
a reader and no text of a message has a part in where the connection goes, so there is nothing for
the guard of user-supplied destinations to judge. TLS is verified against the server's configured name.

How it ends, beside the server's words for a message that it has taken:

- ``MailRefused``: the reader or the message is refused for good (5yz to RCPT or DATA, RFC 5321 §4.2.1).
- ``SystemUnavailable``: a refusal for now (4yz), one of ourselves (5yz to the greeting, AUTH or MAIL, which says
  nothing about the message), no connection, or one that broke. Once the message's end was sent, the server
  may have it all the same (RFC 5321 §4.5.4.1): whether it does is then unknown.
- ``DeadlineExceeded``: the time was used up; unknown as before.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from governance.call.call import calling
from governance.contract.problems import Problem
from governance.contract.refusals import DeadlineExceeded, SystemUnavailable
from governance.egress.breaker import Breaker
from governance.egress.figures import CLASSES
from governance.egress.maintenance import maintenance_left_s
from governance.egress.places import Places
from governance.egress.settings import Port, VendorSettings
from governance.egress.vendor import Shared

if TYPE_CHECKING:
    from aiosmtplib import SMTP

AWAY = "The mail server is away."
SLOW = "The mail server did not answer in time."
CLOSING = 421
"""The server gives up this connection: it can't serve now (RFC 5321 §3.8)."""

Security = Literal["starttls", "tls", "none"]


class MailServer(Struct, frozen=True, kw_only=True):
    """The server that takes messages: ``starttls`` on its submission port, ``tls`` from the first byte, or in clear."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Port
    security: Security
    own_name: str
    """What we call ourselves in EHLO."""
    username: str = ""
    password: str = ""


class MailRefused(Exception):
    """The server refuses the reader or the message for good."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"{code} {words}")
        self.code = code
        self.words = words


class MailClient:
    """Hands messages over to one mail server. ``governance.egress.Egress`` makes and stops it."""

    def __init__(self, vendor: str, settings: VendorSettings, shared: Shared) -> None:
        self.vendor = vendor
        self._settings = settings
        self._shared = shared
        self._monotonic = shared.clock.monotonic
        self._places = Places(vendor, settings, shared.store)
        self._breakers: dict[str, Breaker] = {}
        self._tls = ssl.create_default_context(cafile=settings.ca_file or None)
        shared.figures.watch(vendor, self._breakers)

    async def start(self) -> None:
        """Nothing to open: each message has a connection of its own."""

    async def stop(self) -> None:
        """Give back what is held."""
        await self._places.stop()

    @property
    def longest_s(self) -> float:
        """How long handing a message over may take, in seconds."""
        return self._settings.total_timeout_s

    async def send(self, server: MailServer, sender: str, reader: str, message: bytes) -> str:
        """What the server said when it took the message.

        Raises:
            MailRefused, SystemUnavailable, DeadlineExceeded: as the module says.
        """
        self._refuse_in_maintenance()
        call = calling()
        within_s = self._settings.total_timeout_s
        if call is not None and call.deadline is not None:
            within_s = min(within_s, call.deadline - self._monotonic())
        until = self._monotonic() + within_s
        breaker = self._breaker(server)
        place = await self._places.take("normal", within_s) if self._places.limited else None
        try:
            refused_for_s = breaker.refused_for_s()
            if refused_for_s:
                raise SystemUnavailable(detail=AWAY, retry_after_s=refused_for_s)
            left_s = until - self._monotonic()
            with self._shared.tracing.leaving(f"SMTP {self.vendor}", call.traceparent if call else None):
                return await self._judged(server, sender, reader, message, breaker, left_s)
        finally:
            if place is not None:
                self._places.give_back(place)

    async def _judged(
        self, server: MailServer, sender: str, reader: str, message: bytes, breaker: Breaker, left_s: float
    ) -> str:
        """The exchange, with its outcome told to the breaker and the figures."""
        import aiosmtplib

        try:
            async with asyncio.timeout(left_s):
                words = await self._exchange(server, sender, reader, message)
        except (aiosmtplib.SMTPException, OSError) as error:  # timeouts and broken TLS are among these
            outcome, code = _outcome(error)
            self._shared.figures.attempted(self.vendor, CLASSES[code // 100] if code else type(error).__name__)
            if code in (0, CLOSING):
                breaker.failed()
            else:
                breaker.succeeded()
            raise outcome from error
        except BaseException:
            breaker.ended()
            raise
        self._shared.figures.attempted(self.vendor, "2xx")
        breaker.succeeded()
        return words

    async def _exchange(self, server: MailServer, sender: str, reader: str, message: bytes) -> str:
        from aiosmtplib import SMTP

        smtp = SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=server.own_name,
            timeout=self._settings.connect_timeout_s,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=self._tls if server.security != "none" else None,
        )
        try:
            await smtp.connect()
            if server.username:
                await smtp.login(server.username, server.password, timeout=self._settings.read_timeout_s)
            _, words = await smtp.sendmail(sender, [reader], message, timeout=self._settings.read_timeout_s)
        finally:
            _leave(smtp)
        return words

    def _breaker(self, server: MailServer) -> Breaker:
        endpoint = f"{server.host}:{server.port}"
        if endpoint not in self._breakers:
            self._breakers[endpoint] = Breaker(self._monotonic, self._settings.breaker)
        return self._breakers[endpoint]

    def _refuse_in_maintenance(self) -> None:
        left_s = maintenance_left_s(self._settings.maintenance, self._shared.clock.now())
        if left_s:
            raise SystemUnavailable(detail="The mail server is under maintenance.", retry_after_s=left_s)


def _leave(smtp: SMTP) -> None:
    """Close the connection without a word: what was said is settled, and nobody waits for the answer to QUIT."""
    smtp.close()


def _outcome(error: Exception) -> tuple[Exception, int]:
    """What the caller is told, and the server's reply code; 0 where it gave none."""
    from aiosmtplib import SMTPDataError, SMTPRecipientsRefused, SMTPResponseException

    said = error.recipients[0] if isinstance(error, SMTPRecipientsRefused) else error
    if isinstance(said, SMTPResponseException):
        about_message = isinstance(error, SMTPRecipientsRefused | SMTPDataError)
        if about_message and said.code >= 500:
            return MailRefused(said.code, " ".join(said.message.split())[:500]), said.code
        return SystemUnavailable(detail=f"The mail server said {said.code}."), said.code
    return _silent(error), 0


def _silent(error: Exception) -> Problem:
    return DeadlineExceeded(detail=SLOW) if isinstance(error, TimeoutError) else SystemUnavailable(detail=AWAY)
