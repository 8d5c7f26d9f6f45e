"""The engine's queue, looked at only when something is in it.

The workflow engine claims work with four statements that it puts together anew for each look, some
twenty times a second: in a gateway with nothing to do they were four fifths of its CPU. It first
asks its database in which scopes to look, which is where it is told that there is nothing. Something
that is queued after the answer is found by the next look.

An engine that asks no such thing any more looks as before; ``tests/process_apis/flow/test_idle.py`` tells.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from dbos import DBOS


def look_only_for_work(running: DBOS, engine: sa.Engine) -> None:
    """Have a launched engine claim from its queues only while they hold something."""
    database: Any = running._sys_db  # pyright: ignore[reportPrivateUsage] - the engine has no door for this
    scopes_of = getattr(database, "dequeue_scopes", None)
    if scopes_of is None:
        return
    queued = _queued(None if engine.dialect.name == "sqlite" else "dbos")

    def scopes(queue_name: str) -> Any:
        with engine.connect() as connection:
            waits = connection.execute(queued, {"queue": queue_name}).scalar()
        return scopes_of(queue_name) if waits else []

    database.dequeue_scopes = scopes


def _queued(schema: str | None) -> sa.Select[bool]:
    names = ("queue_name", "status")
    status = sa.table("workflow_status", *(sa.column(name, sa.Text) for name in names), schema=schema)
    here = sa.exists().where(status.c.queue_name == sa.bindparam("queue"), status.c.status == "ENQUEUED")
    return sa.select(here)
