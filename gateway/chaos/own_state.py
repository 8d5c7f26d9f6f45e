"""What Tiergate itself kept of a run: flows, what the engine knows of them, their timelines, exceptions, events, audit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from governance.audit import all_anchors, verify
from governance.database import open_engine

UNDER_WAY = ("PENDING", "ENQUEUED", "DELAYED")
FAILED = ("ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "CANCELLED")


class KeptEvent(Struct, frozen=True, kw_only=True):
    """An event of the log."""

    subject: str
    sequence: int
    type: str
    source_id: str
    """The record that it tells of, such as ``invoice.posted:INV-100001``; empty where it tells of none."""


class OwnState(Struct, frozen=True, kw_only=True):
    """Tiergate's own tables after a run."""

    flow_ids: frozenset[str]
    unended: tuple[str, ...]
    """Flows that have not ended."""
    engine_left: tuple[str, ...]
    """What the workflow engine has under way."""
    engine_failed: tuple[str, ...]
    """What the workflow engine gave up."""
    exceptions: tuple[str, ...]
    """Sentences about exceptions that wait for somebody."""
    events: tuple[KeptEvent, ...] | None
    """In the order of the log; None where this gateway keeps none."""
    audit: tuple[str, ...] = ()
    """What is wrong with the account of who did what."""


def read_own_state(home: Path, database_url: str) -> OwnState:
    """Everything that the checks need of Tiergate's own database."""
    engine = open_engine(home, database_url, 4)
    try:
        with engine.connect() as connection:
            dbos = "" if engine.dialect.name == "sqlite" else "dbos."
            tables = set(sa.inspect(connection).get_table_names())
            return OwnState(
                flow_ids=frozenset(_texts(connection, "SELECT flow_id FROM flows")),
                unended=_texts(connection, "SELECT flow_id FROM flows WHERE NOT ended"),
                engine_left=_workflows(connection, dbos, UNDER_WAY),
                engine_failed=_workflows(connection, dbos, FAILED),
                exceptions=_exceptions(connection) if "exceptions" in tables else (),
                events=_events(connection) if "events" in tables else None,
                audit=tuple(
                    f"{one.journal}: {one.fault}"
                    for one in verify(home / "audit", all_anchors(connection))
                    if one.fault
                ),
            )
    finally:
        engine.dispose()


def read_timelines(home: Path, database_url: str, order_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The timeline of each of these orders, a line an entry."""
    lines: dict[str, list[str]] = defaultdict(list)
    engine = open_engine(home, database_url, 4)
    query = sa.text("SELECT * FROM timeline WHERE flow_id IN :ids ORDER BY flow_id, position").bindparams(
        sa.bindparam("ids", expanding=True)
    )
    try:
        with engine.connect() as connection:
            for row in connection.execute(query, {"ids": list(order_ids)}):
                at = datetime.fromtimestamp(row.at_us / 1_000_000, UTC).strftime("%H:%M:%S.%f")[:-3]
                lines[row.flow_id].append(f"{at} {row.step:22} {row.operation:24} {row.outcome:10} {row.detail}")
    finally:
        engine.dispose()
    return {flow_id: tuple(entries) for flow_id, entries in lines.items()}


def _texts(connection: sa.Connection, query: str, **values: Any) -> tuple[str, ...]:
    return tuple(map(str, connection.execute(sa.text(query), values).scalars()))


def _workflows(connection: sa.Connection, dbos: str, statuses: tuple[str, ...]) -> tuple[str, ...]:
    query = sa.text(
        f"SELECT workflow_uuid, status, executor_id FROM {dbos}workflow_status WHERE status IN :statuses"
    ).bindparams(sa.bindparam("statuses", expanding=True))
    rows = connection.execute(query, {"statuses": list(statuses)})
    return tuple(f"{row.workflow_uuid} {row.status} {row.executor_id}" for row in rows)


def _exceptions(connection: sa.Connection) -> tuple[str, ...]:
    rows = connection.execute(sa.text("SELECT * FROM exceptions WHERE status = 'open'"))
    return tuple(f"{row.flow_id}: {row.step} ({row.kind}) {row.problem}: {row.reason}" for row in rows)


def _events(connection: sa.Connection) -> tuple[KeptEvent, ...]:
    rows = connection.execute(sa.text("SELECT subject, sequence, type, source_id FROM events ORDER BY position"))
    return tuple(
        KeptEvent(subject=row.subject, sequence=int(row.sequence), type=row.type, source_id=row.source_id or "")
        for row in rows
    )
