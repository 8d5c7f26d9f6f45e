"""A message as mail: RFC 5322 headers and a text and an HTML part (RFC 2046 §5.1.4).

The ``Message-ID`` is made of the message's reference, so that a message which was handed over twice, because
the first outcome was unknown, is told to be one by the mail systems on its way (RFC 5322 §3.6.4). Every
header goes through ``email.headerregistry``, which refuses line breaks; both parts are
quoted-printable, so no line of them can end the message (RFC 2045 §6.7).
"""

from __future__ import annotations

import hashlib
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from msgspec import Struct

from system_apis.notifications.messages import Message


class Sender(Struct, frozen=True, kw_only=True):
    """Whom mail is from, and who gets the answers; empty: the same."""

    address: str
    name: str
    reply_to: str

    @property
    def domain(self) -> str:
        """The domain that our ``Message-ID`` is unique in."""
        return self.address.rpartition("@")[2]


def mail_of(message: Message, sender: Sender) -> bytes:
    """The mail, ready to be sent."""
    mail = EmailMessage(policy=SMTP)
    mail["Message-ID"] = mail_id(message.reference, sender.domain)
    mail["Date"] = format_datetime(message.created_at)
    mail["From"] = Address(sender.name, addr_spec=sender.address)
    if sender.reply_to:
        mail["Reply-To"] = Address(addr_spec=sender.reply_to)
    mail["To"] = Address(message.to_name, addr_spec=message.to)
    mail["Subject"] = message.subject
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: nobody's absence note answers it
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    mail["Content-Language"] = message.language
    mail.set_boundary(f"=_{_digest(message.reference)}")
    return mail.as_bytes()


def mail_id(reference: str, domain: str) -> str:
    """The ``Message-ID`` of whatever is sent under a reference."""
    return f"<{_digest(reference)}@{domain}>"


def _digest(reference: str) -> str:
    return hashlib.sha256(reference.encode()).hexdigest()[:32]
