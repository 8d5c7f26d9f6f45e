"""The service desk of the embedded CRM: cases, and the activities that owners read about their accounts."""

from __future__ import annotations

import sqlite3
from datetime import datetime

import msgspec
from msgspec import Struct

from system_apis.canonical.entities import Activity, Case
from system_apis.canonical.refusals import WrongState
from system_apis.crm.connectors.embedded.cabinet import ACTIVITIES, CASES, Cabinet, refuse_unknown
from system_apis.crm.drafts import NewActivity, NewCase
from system_apis.embedded import among


class _Closing(Struct, frozen=True):
    resolution: str


class Desk(Cabinet):
    """The ``ServicePort`` of the embedded CRM."""

    async def create_case(self, case: NewCase, reference: str) -> Case:
        """Open a case."""
        now = self.clock.now()
        return await self.file.write(lambda connection: store_case(connection, case, reference, now))

    async def get_case(self, case_id: str) -> Case:
        """The case."""
        return await self.file.read(lambda connection: CASES.get(connection, case_id))

    async def find_case_by_reference(self, reference: str) -> Case | None:
        """The case that ``reference`` made or closed."""
        return await self.file.read(lambda connection: CASES.find(connection, reference))

    async def list_cases(
        self, *, account_ids: tuple[str, ...] | None, status: str | None, after: str | None, limit: int
    ) -> tuple[Case, ...]:
        """Cases by number."""
        matches = (among("account_id", account_ids), ("status = ?", status))
        return await self.file.read(lambda connection: CASES.page(connection, matches, after, limit))

    async def close_case(self, case_id: str, account_id: str, resolution: str, reference: str) -> Case:
        """Close the case."""

        def step(case: Case) -> Case:
            if case.status == "closed":
                raise WrongState(record_id=case_id, state="closed", needs="open or waiting")
            return msgspec.structs.replace(case, status="closed", resolution=resolution)

        return await self.file.write(
            lambda connection: CASES.change(
                connection, case_id, account_id, reference, "close", step, _Closing(resolution)
            )
        )

    async def create_activity(self, activity: NewActivity, reference: str) -> Activity:
        """Note an activity."""
        now = self.clock.now()
        return await self.file.write(lambda connection: store_activity(connection, activity, reference, now))

    async def find_activity_by_reference(self, reference: str) -> Activity | None:
        """The activity noted under ``reference``."""
        return await self.file.read(lambda connection: ACTIVITIES.find(connection, reference))

    async def list_activities(
        self,
        *,
        account_ids: tuple[str, ...] | None,
        subject_id: str | None,
        kind: str | None,
        after: str | None,
        limit: int,
    ) -> tuple[Activity, ...]:
        """Activities by number, which is oldest first."""
        matches = (among("account_id", account_ids), ("subject_id = ?", subject_id), ("kind = ?", kind))
        return await self.file.read(lambda connection: ACTIVITIES.page(connection, matches, after, limit))


def store_case(connection: sqlite3.Connection, draft: NewCase, reference: str, now: datetime) -> Case:
    """Write the case, once per reference."""
    refuse_unknown(connection, draft.account_id)
    fields = msgspec.structs.asdict(draft)
    return CASES.create(
        connection,
        reference,
        draft,
        lambda number: Case(case_id=number, reference=reference, status="open", created_at=now, **fields),
    )


def store_activity(connection: sqlite3.Connection, draft: NewActivity, reference: str, now: datetime) -> Activity:
    """Write the activity, once per reference."""
    refuse_unknown(connection, draft.account_id)
    fields = msgspec.structs.asdict(draft)
    return ACTIVITIES.create(
        connection,
        reference,
        draft,
        lambda number: Activity(activity_id=number, reference=reference, occurred_at=now, **fields),
    )
