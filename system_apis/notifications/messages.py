"""A message as the notifications API keeps it, and what is handed over to be sent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from system_apis.canonical.values import AccountId, RecordId, Reference
from system_apis.notifications.contents import Content, TemplateName

ADDRESS = (
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@"
    r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
"""A mail address in ASCII, without quoted parts (RFC 5322 §3.4.1, dot-atom)."""
EmailAddress = Annotated[
    str,
    Meta(
        max_length=254,
        pattern=f"^{ADDRESS}$",
        description="A mail address in ASCII, without quoted parts (RFC 5322 §3.4.1, dot-atom).",
        examples=["buyer@acme.example"],
    ),
]
PersonName = Annotated[
    str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="A person's name; empty where unknown.")
]
Language = Annotated[
    str, Meta(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$", description="BCP 47 tag.", examples=["en", "de-AT"])
]
MessageStatus = Literal["accepted", "sent", "delivered", "refused"]
"""``accepted``: kept, its handing over is under way or unknown; ``sent``: the next mail system has it;
``delivered``: it is in the reader's mailbox; ``refused``: no mail system will take it."""


class Outgoing(Struct, frozen=True, kw_only=True):
    """A message to send: to whom, in which language, about what."""

    account_id: AccountId
    to: EmailAddress
    to_name: str
    language: Language
    content: Content


class Message(Struct, frozen=True, kw_only=True):
    """A message and what became of it, with its words as they were sent."""

    message_id: RecordId
    reference: Reference
    account_id: AccountId
    template: TemplateName
    status: MessageStatus
    to: str
    to_name: str
    language: Language
    """The language that it is written in: the one asked for, or the nearest that there is."""
    subject: str
    text: str
    html: str
    created_at: datetime
    sent_at: datetime | None = None
    refusal: str = ""
    """What the mail system said when it refused the message."""
