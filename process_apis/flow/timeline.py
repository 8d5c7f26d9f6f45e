"""The timeline: what was done for a flow, as rows in the order in which it was done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from process_apis.flow.run import Note
from process_apis.flow.tables import timeline

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
ADD = sa.insert(timeline)
LEG_ROOM = 1_000_000
STEP_ROOM = 1_000
"""Positions: a leg's steps come after those of the leg before it, a step's entries after its leg's first ones."""


def microseconds(moment: datetime) -> int:
    """An aware instant as microseconds since 1970 UTC."""
    return (moment - EPOCH) // MICROSECOND


def instant(moment_us: int) -> datetime:
    """The instant of ``microseconds``."""
    return EPOCH + moment_us * MICROSECOND


def timeline_rows(flow_id: str, place: int, notes: Sequence[Note]) -> list[dict[str, Any]]:
    """Notes as rows of the timeline, from ``place`` on."""
    return [
        {
            "flow_id": flow_id,
            "position": place + ordinal,
            "at_us": microseconds(note.at),
            "step": note.step,
            "tier": note.tier,
            "api": note.api,
            "operation": note.operation,
            "outcome": note.outcome,
            "detail": note.detail[:2_000],
            "duration_ms": note.duration_ms,
        }
        for ordinal, note in enumerate(notes)
    ]


def add_to_timeline(connection: sa.Connection, rows: list[dict[str, Any]]) -> None:
    """Write rows of the timeline."""
    if rows:
        connection.execute(ADD, rows)
