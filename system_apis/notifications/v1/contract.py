"""Notifications, version 1: messages to people from templates in their language."""

from __future__ import annotations

from typing import Protocol

from governance.contract import Contract, Cursor, Limit, Page, by, create, read, search
from system_apis.canonical.refusals import MessageRefused, ReferenceTaken
from system_apis.canonical.values import AccountId, RecordId, Reference
from system_apis.notifications.v1.model import Message, MessageStatus, NewMessage, TemplateName


class NotificationsV1(Contract, Protocol, owner="Customer communication systems"):
    """Messages to customers and staff: written from a template in the reader's language, sent once, kept as sent."""

    @create(
        "/messages",
        scope="notifications.messages:write",
        raises=[MessageRefused, ReferenceTaken],
        visible=by("account_id"),
        location="/messages/{message_id}",
    )
    async def send_message(self, message: NewMessage) -> Message:
        """Send a message to one reader.

        The idempotency key becomes the message's unique reference: however often it is sent, the
        reader gets one message. Answered once the next mail system has it.
        """
        ...

    @read("/messages/{message_id}", scope="notifications.messages:read", visible=by("account_id"))
    async def get_message(self, message_id: RecordId) -> Message:
        """A message, its words as they were sent, and what became of it."""
        ...

    @search("/messages", scope="notifications.messages:read", visible=by("account_id"))
    async def list_messages(
        self,
        *,
        account_id: AccountId | None = None,
        reference: Reference | None = None,
        template: TemplateName | None = None,
        status: MessageStatus | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Message]:
        """Messages, oldest first, by account, reference, template or status."""
        ...
