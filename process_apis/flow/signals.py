"""Signals: what the world outside tells a flow, kept as rows until a step reads them.

A signal is kept once, whoever sends it again, and may come before its flow. Wishes to amend a flow
are kept the same way, under a name of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from process_apis.flow.tables import signals
from process_apis.flow.timeline import microseconds

AMENDMENT = "amend"
CANCEL = "cancel"
"""What a flow is told that people cancel after its pivot; a step that listens to it sees to what that means."""


def keep_signal(connection: sa.Connection, flow_id: str, name: str, body: bytes, source_id: str, now: datetime) -> bool:
    """Keep a signal as the newest; False when it is known. The flow's row is taken, where there is one."""
    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    newest = sa.select(sa.func.coalesce(sa.func.max(signals.c.position), 0)).where(signals.c.flow_id == flow_id)
    row = {
        "flow_id": flow_id,
        "source_id": source_id,
        "name": name,
        "position": newest.scalar_subquery() + 1,
        "body": body,
        "at_us": microseconds(now),
    }
    kept = insert(signals).values(row).on_conflict_do_nothing().returning(signals.c.position)
    return connection.execute(kept).scalar() is not None


def heard(connection: sa.Connection, flow_id: str, names: Sequence[str]) -> tuple[dict[str, bytes], int]:
    """The newest body of each of these signals, and the position of the newest of all."""
    query = (
        sa.select(signals.c.name, signals.c.body, signals.c.position)
        .where(signals.c.flow_id == flow_id, signals.c.name.in_(names))
        .order_by(signals.c.position)
    )
    rows = connection.execute(query).all()
    return {row.name: row.body for row in rows}, rows[-1].position if rows else 0


def amendments(connection: sa.Connection, flow_id: str, done: int) -> list[bytes]:
    """The wishes to amend a flow after the first ``done``, oldest first."""
    query = (
        sa.select(signals.c.body)
        .where(signals.c.flow_id == flow_id, signals.c.name == AMENDMENT)
        .order_by(signals.c.position)
        .offset(done)
    )
    return list(connection.execute(query).scalars())
