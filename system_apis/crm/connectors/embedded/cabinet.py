"""The CRM's file: its tables, the shelves on them, and what every part of the connector works with."""

from __future__ import annotations

import sqlite3

from governance.call import Clock
from system_apis.canonical.entities import Account, Activity, Case, Contact, Opportunity, Quote
from system_apis.canonical.refusals import UnknownAccount
from system_apis.crm.connectors.embedded.shelf import Shelf
from system_apis.embedded import RecordFile


def _table(name: str, key: str, *searched: str) -> str:
    columns = "".join(
        f"{column} TEXT GENERATED ALWAYS AS (json_extract(record, '$.{column}')) VIRTUAL,\n" for column in searched
    )
    indexes = "".join(
        f"CREATE INDEX IF NOT EXISTS {name}_by_{column} ON {name} ({column}, {key});\n"
        for column in ("account_id", *searched)
    )
    return f"""
CREATE TABLE IF NOT EXISTS {name} (
    number INTEGER PRIMARY KEY,
    record TEXT NOT NULL,
    {columns}
    {key} TEXT GENERATED ALWAYS AS (json_extract(record, '$.{key}')) STORED NOT NULL UNIQUE,
    account_id TEXT GENERATED ALWAYS AS (json_extract(record, '$.account_id')) STORED NOT NULL
        REFERENCES account (account_id)
) STRICT;
{indexes}
"""


SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS account (
    account_id TEXT PRIMARY KEY,
    record TEXT NOT NULL,
    searched TEXT NOT NULL,
    parent_id TEXT GENERATED ALWAYS AS (json_extract(record, '$.parent_id')) STORED REFERENCES account (account_id),
    owner TEXT GENERATED ALWAYS AS (json_extract(record, '$.owner')) VIRTUAL,
    status TEXT GENERATED ALWAYS AS (json_extract(record, '$.status')) VIRTUAL
) STRICT;
CREATE INDEX IF NOT EXISTS account_by_parent ON account (parent_id, account_id);
CREATE TABLE IF NOT EXISTS effect (
    kind TEXT NOT NULL,
    reference TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    record_id TEXT NOT NULL,
    PRIMARY KEY (kind, reference)
) STRICT, WITHOUT ROWID;
"""
    + _table("contact", "contact_id")
    + _table("opportunity", "opportunity_id", "stage")
    + _table("quote", "quote_id", "status", "valid_until")
    + _table("service_case", "case_id", "status")
    + _table("activity", "activity_id", "subject_id", "kind")
)

ACCOUNTS = Shelf(Account, "account", "account_id")
CONTACTS = Shelf(Contact, "contact", "contact_id", "CON")
OPPORTUNITIES = Shelf(Opportunity, "opportunity", "opportunity_id", "OPP")
QUOTES = Shelf(Quote, "quote", "quote_id", "QUO")
CASES = Shelf(Case, "service_case", "case_id", "CAS")
ACTIVITIES = Shelf(Activity, "activity", "activity_id", "ACT")


class Cabinet:
    """What the parts of the connector share: the open file and the time."""

    def __init__(self, file: RecordFile, clock: Clock) -> None:
        self.file = file
        self.clock = clock


def refuse_unknown(connection: sqlite3.Connection, account_id: str) -> None:
    """Refuse what is about an account that is not there.

    Raises:
        UnknownAccount
    """
    if connection.execute("SELECT 1 FROM account WHERE account_id = ?", (account_id,)).fetchone() is None:
        raise UnknownAccount(account_id=account_id)
