"""How flows write to people: the right person at the account, in the account's language, once.

A step says what it has to say; whom it goes to and in which language is looked up in CRM at that
moment. Nobody to write to, or a mail system that refuses the address for good, is noted on the
timeline and stops nothing. A mail system that is away is an outage as any other: the step is asked again.
Where CRM has another reader by then, the message that was written first stands.

A service whose steps write needs what ``NEEDS`` lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from process_apis.flow.recording import recorded
from process_apis.flow.run import Run
from system_apis.canonical.entities import Contact
from system_apis.canonical.refusals import MessageRefused, ReferenceTaken
from system_apis.crm.v1.contract import CrmV1
from system_apis.notifications.v1.contract import NotificationsV1
from system_apis.notifications.v1.model import Content, EmailAddress, NewMessage

Role = Literal["buyer", "finance", "receiving", "executive"]
MOST_CONTACTS = 200
NEEDS = (CrmV1.get_account, CrmV1.list_contacts, NotificationsV1.send_message)


class Correspondence:
    """Writes messages for the steps of a flow."""

    def __init__(self, crm: CrmV1, notifications: NotificationsV1) -> None:
        self._crm = recorded(crm, CrmV1)
        self._notifications = recorded(notifications, NotificationsV1)

    async def tell(self, run: Run[Any], account_id: str, content: Content, role: Role = "buyer") -> bool:
        """Write to the account's contact of this role, or else to its first one; whether somebody was written to."""
        account = await self._crm.get_account(account_id)
        contacts = await self._crm.list_contacts(account_id=account_id, limit=MOST_CONTACTS)
        reader = _reader(contacts.items, role)
        if reader is None:
            run.note(run.step, "tell", "nobody_to_tell", f"{account_id} has no contact with a mail address.")
            return False
        message = NewMessage(
            account_id=account_id,
            to=reader.email,
            to_name=" ".join(reader.name.split()),
            content=content,
            language=account.language,
        )
        try:
            sent = await self._notifications.send_message(message)
        except MessageRefused:  # it stands on the timeline
            return False
        except ReferenceTaken:  # asked again after CRM has changed: what was written first stands
            return True
        run.say(f"{sent.message_id} to {sent.to}, {sent.status}")
        return True


def _reader(contacts: Sequence[Contact], role: Role) -> Contact | None:
    reachable = [contact for contact in contacts if _is_address(contact.email)]
    return next((contact for contact in reachable if contact.role == role), reachable[0] if reachable else None)


def _is_address(email: str) -> bool:
    try:
        msgspec.convert(email, EmailAddress)
    except msgspec.ValidationError:
        return False
    return True
