"""Accounts, their hierarchy and their people in the embedded CRM.

The hierarchy is a forest: a parent exists, and nobody stands below himself, in any order of writes.
"""

from __future__ import annotations

import sqlite3

import msgspec

from governance.contract.problems import NotFound
from system_apis.canonical.entities import Account, AccountTree, Contact
from system_apis.canonical.refusals import HierarchyLoop
from system_apis.crm.connectors.embedded.cabinet import ACCOUNTS, CONTACTS, Cabinet, refuse_unknown
from system_apis.crm.drafts import AccountDetails, NewContact
from system_apis.embedded import among

BELOW = """
WITH RECURSIVE below (account_id) AS (
    SELECT account_id FROM account WHERE account_id = ?
    UNION SELECT account.account_id FROM account JOIN below ON account.parent_id = below.account_id
) SELECT account_id FROM below ORDER BY account_id
"""


class Accounts(Cabinet):
    """The ``AccountPort`` of the embedded CRM."""

    async def get_account(self, account_id: str) -> Account:
        """The account."""
        return await self.file.read(lambda connection: ACCOUNTS.get(connection, account_id))

    async def list_accounts(
        self,
        *,
        account_ids: tuple[str, ...] | None,
        query: str | None,
        owner: str | None,
        parent_id: str | None,
        status: str | None,
        after: str | None,
        limit: int,
    ) -> tuple[Account, ...]:
        """Accounts by number."""
        matches = (
            among("account_id", account_ids),
            ("instr(searched, ?) > 0", None if query is None else query.casefold()),
            ("owner = ?", owner),
            ("parent_id = ?", parent_id),
            ("status = ?", status),
        )
        return await self.file.read(lambda connection: ACCOUNTS.page(connection, matches, after, limit))

    async def put_account(self, account_id: str, details: AccountDetails) -> Account:
        """Make or replace the account."""
        fields = msgspec.structs.asdict(details)
        account = Account(account_id=account_id, updated_at=self.clock.now(), **fields)
        return await self.file.write(lambda connection: store_account(connection, account))

    async def get_subtree(self, account_id: str) -> AccountTree:
        """The account and all below it."""
        ids = await self.file.read(lambda connection: _below(connection, account_id))
        if not ids:
            raise NotFound
        return AccountTree(account_id=account_id, account_ids=ids)

    async def create_contact(self, contact: NewContact, reference: str) -> Contact:
        """Add a person."""
        return await self.file.write(lambda connection: store_contact(connection, contact, reference))

    async def get_contact(self, contact_id: str) -> Contact:
        """The contact."""
        return await self.file.read(lambda connection: CONTACTS.get(connection, contact_id))

    async def find_contact_by_reference(self, reference: str) -> Contact | None:
        """The contact that ``reference`` made."""
        return await self.file.read(lambda connection: CONTACTS.find(connection, reference))

    async def list_contacts(
        self, *, account_ids: tuple[str, ...] | None, after: str | None, limit: int
    ) -> tuple[Contact, ...]:
        """Contacts by number."""
        matches = (among("account_id", account_ids),)
        return await self.file.read(lambda connection: CONTACTS.page(connection, matches, after, limit))


def store_account(connection: sqlite3.Connection, account: Account) -> Account:
    """Write the account; what it already is keeps its ``updated_at``, so repeating a write changes nothing."""
    if account.parent_id is not None:
        _refuse_loop(connection, account.account_id, account.parent_id)
    stored = _stored(connection, account.account_id)
    if stored is not None and msgspec.structs.replace(account, updated_at=stored.updated_at) == stored:
        return stored
    connection.execute(
        "INSERT INTO account (account_id, record, searched) VALUES (?, ?, ?)"
        " ON CONFLICT (account_id) DO UPDATE SET record = excluded.record, searched = excluded.searched",
        (account.account_id, msgspec.json.encode(account).decode(), f"{account.account_id} {account.name}".casefold()),
    )
    return account


def store_contact(connection: sqlite3.Connection, contact: NewContact, reference: str) -> Contact:
    """Write the contact, once per reference."""
    refuse_unknown(connection, contact.account_id)
    fields = msgspec.structs.asdict(contact)
    return CONTACTS.create(connection, reference, contact, lambda number: Contact(contact_id=number, **fields))


def _stored(connection: sqlite3.Connection, account_id: str) -> Account | None:
    try:
        return ACCOUNTS.get(connection, account_id)
    except NotFound:
        return None


def _below(connection: sqlite3.Connection, account_id: str) -> tuple[str, ...]:
    return tuple(row["account_id"] for row in connection.execute(BELOW, (account_id,)))


def _refuse_loop(connection: sqlite3.Connection, account_id: str, parent_id: str) -> None:
    if parent_id == account_id or parent_id in _below(connection, account_id):
        raise HierarchyLoop(account_id=account_id, parent_id=parent_id)
    refuse_unknown(connection, parent_id)
