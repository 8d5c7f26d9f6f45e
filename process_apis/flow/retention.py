"""Retention: what flows leave behind is forgotten in time, some at a time, by whoever runs them.

The workflow engine keeps a row for each leg and each checkpoint, which nobody needs once the leg has
ended; the flow's own row stays, and with it the guarantee that its key makes no second one. What was
done for a flow, and the signals it heard, are kept longer, and then go too. So does what other packages keep
for it in tables of their own: each says for itself how that is forgotten (``FlowRuntime.adopt``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import sqlalchemy as sa

from process_apis.flow.tables import flows, signals, timeline
from process_apis.flow.timeline import EPOCH

AT_ONCE = 500
ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


class Forget(Protocol):
    """Forgets some things that are left of old flows."""

    def __call__(self, connection: sa.Connection, before_us: int) -> int:
        """Forget up to ``AT_ONCE`` that belong to flows which ended before this, in microseconds; how many."""
        ...


def old_legs(connection: sa.Connection, schema: str | None, now: datetime, kept: timedelta) -> list[str]:
    """Up to ``AT_ONCE`` workflows of the engine that ended longer ago than ``kept``, the oldest first."""
    updated_ms = sa.column("updated_at", sa.BigInteger)
    status = sa.table("workflow_status", sa.column("workflow_uuid"), sa.column("status"), updated_ms, schema=schema)
    before_ms = (now - kept - EPOCH) // timedelta(milliseconds=1)
    old = sa.select(status.c.workflow_uuid).where(status.c.status.in_(ENDED), updated_ms < before_ms)
    return list(connection.execute(old.order_by(updated_ms).limit(AT_ONCE)).scalars())


def ended_before(before_us: int) -> sa.Select[tuple[str]]:
    """The ids of the flows that ended before this, the oldest first."""
    ended = sa.select(flows.c.flow_id).where(flows.c.ended, flows.c.ended_us < before_us)
    return ended.order_by(flows.c.ended_us)


def forget_notes(connection: sa.Connection, before_us: int) -> int:
    """Forget what was done and heard for some flows that ended before this; for how many."""
    noted = ended_before(before_us).where(sa.exists().where(timeline.c.flow_id == flows.c.flow_id))
    ids = list(connection.execute(noted.limit(AT_ONCE)).scalars())
    if ids:
        connection.execute(sa.delete(timeline).where(timeline.c.flow_id.in_(ids)))
        connection.execute(sa.delete(signals).where(signals.c.flow_id.in_(ids)))
    return len(ids)
