"""What the notifications API needs of a system that carries messages to people.

Every connector guarantees: a message is sent once per reference (same content again gives the
message as it is now, other content is ``ReferenceTaken``); what was sent reads the same for ever,
whatever becomes of the templates. Where the outcome of handing a message over is unknown, the
same reference hands it over again under the same ``Message-ID``, by which mail systems tell the two are one.

When the system can't be reached the connector raises ``SystemUnavailable``; what became of the
message is then found out by the lookup by reference, and by sending it again under its reference.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from system_apis.canonical.values import AccountId, RecordId, Reference
from system_apis.notifications.contents import TemplateName
from system_apis.notifications.messages import Message, MessageStatus, Outgoing


class MessageFilter(Struct, frozen=True, kw_only=True):
    """Which messages are asked for; None: any."""

    account_ids: tuple[AccountId, ...] | None = None
    reference: Reference | None = None
    template: TemplateName | None = None
    status: MessageStatus | None = None


class NotificationsPort(Protocol):
    """A carrier of messages in canonical terms."""

    async def send_message(self, message: Outgoing, reference: Reference) -> Message:
        """Write the message in its language and hand it over, once per reference.

        Raises:
            MessageRefused: no mail system will take it for this reader.
            ReferenceTaken: the reference stands for other content.
        """
        ...

    async def get_message(self, message_id: RecordId) -> Message:
        """The message as it is now.

        Raises:
            NotFound
        """
        ...

    async def list_messages(self, which: MessageFilter, after: int, limit: int) -> tuple[tuple[int, Message], ...]:
        """Up to ``limit`` messages with their key, by rising key, keys above ``after``."""
        ...

    async def find_message_by_reference(self, reference: Reference) -> Message | None:
        """The message sent under ``reference``."""
        ...
