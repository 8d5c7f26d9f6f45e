"""Notifications v1 over a carrier's port; guarantees and failures are the connector's."""

from __future__ import annotations

from governance.call import current_call
from governance.contract import CursorCodec, Page
from system_apis.canonical.values import AccountId, RecordId, Reference
from system_apis.notifications.messages import Outgoing
from system_apis.notifications.port import MessageFilter, NotificationsPort
from system_apis.notifications.v1.contract import NotificationsV1
from system_apis.notifications.v1.model import Message, MessageStatus, NewMessage, TemplateName

LIST = "notifications.v1.list_messages"


class Notifications(NotificationsV1):
    """Every message is kept under the idempotency key of its call."""

    def __init__(self, port: NotificationsPort, cursors: CursorCodec) -> None:
        self._port = port
        self._cursors = cursors

    async def send_message(self, message: NewMessage) -> Message:
        """Send a message to one reader."""
        outgoing = Outgoing(
            account_id=message.account_id,
            to=message.to,
            to_name=message.to_name,
            language=message.language,
            content=message.content,
        )
        return await self._port.send_message(outgoing, current_call().key)

    async def get_message(self, message_id: RecordId) -> Message:
        """A message, its words as they were sent, and what became of it."""
        return await self._port.get_message(message_id)

    async def list_messages(
        self,
        *,
        account_id: AccountId | None = None,
        reference: Reference | None = None,
        template: TemplateName | None = None,
        status: MessageStatus | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Message]:
        """Messages, oldest first, by account, reference, template or status."""
        accounts = current_call().listed_accounts(account_id)
        filters = (accounts, reference, template, status)
        after = self._cursors.decode(LIST, filters, cursor)
        which = MessageFilter(account_ids=accounts, reference=reference, template=template, status=status)
        rows = await self._port.list_messages(which, int(after[0]) if after else 0, limit + 1)
        items = tuple(message for _, message in rows[:limit])
        more = self._cursors.encode(LIST, filters, (rows[limit - 1][0],)) if len(rows) > limit else None
        return Page(items=items, next_cursor=more)
