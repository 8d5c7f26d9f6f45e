"""The embedded CRM: a small real one on its own SQLite file.

Every write is one transaction, flushed to disk before it is answered; references are unique for
ever. On its first start it holds the authored dataset, unless ``seed`` is off. It depends on
nothing but its file; a file that can't be written raises ``sqlite3.OperationalError``.
"""

from __future__ import annotations

import sqlite3

from msgspec import Struct

from governance.call import Clock
from system_apis.canonical.changes import Changes
from system_apis.crm.connectors.embedded import changes
from system_apis.crm.connectors.embedded.accounts import Accounts
from system_apis.crm.connectors.embedded.cabinet import SCHEMA
from system_apis.crm.connectors.embedded.desk import Desk
from system_apis.crm.connectors.embedded.pipeline import Pipeline
from system_apis.crm.connectors.embedded.quotes import Quotes
from system_apis.crm.connectors.embedded.seed import sow
from system_apis.embedded import RecordFiles
from system_apis.embedded.changes import unlogged


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the embedded CRM starts."""

    seed: bool = True
    """Fill an empty file with the authored dataset."""


class SubjectActivities(Struct, frozen=True, kw_only=True):
    """How often something was noted about a subject, such as an order, for checks over several systems."""

    subject_id: str
    account_id: str
    kind: str
    count: int


class Connector(Accounts, Pipeline, Quotes, Desk):
    """A ``CrmPort`` on the record file ``crm``."""

    def __init__(self, settings: Settings, files: RecordFiles, clock: Clock) -> None:
        super().__init__(files.open("crm", SCHEMA + changes.SCHEMA), clock)
        self._settings = settings

    async def start(self) -> None:
        """Sow the dataset into an empty file."""
        if self._settings.seed:
            now = self.clock.now()
            await self.file.write(lambda c: unlogged(c, lambda connection: sow(connection, now, self.store_quote)))

    async def stop(self) -> None:
        """Nothing to stop: the record files are closed by who made them."""

    async def list_changes(self, after: int, limit: int) -> Changes:
        """Changes after a position."""
        return await self.file.read(lambda connection: changes.read(connection, after, limit))

    async def ledger(self) -> tuple[SubjectActivities, ...]:
        """What was noted about each subject, by subject and kind; activities about nothing are left out."""

        def rows(connection: sqlite3.Connection) -> tuple[SubjectActivities, ...]:
            found = connection.execute(
                "SELECT subject_id, account_id, kind, COUNT(*) AS noted FROM activity WHERE subject_id <> ''"
                " GROUP BY subject_id, account_id, kind ORDER BY subject_id, kind, account_id"
            )
            return tuple(
                SubjectActivities(
                    subject_id=row["subject_id"], account_id=row["account_id"], kind=row["kind"], count=row["noted"]
                )
                for row in found
            )

        return await self.file.read(rows)
