"""Exceptions by what people look for: queue, state, who has them, account, process, problem, time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa
from msgspec import Struct

from process_apis.exceptions.tables import exception_deeds
from process_apis.flow.queues import QUEUES
from process_apis.flow.tables import exceptions

Status = Literal["open", "settled", "closed"]
NOBODY = ""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which exceptions are asked for; None: any. Instants are microseconds."""

    account_ids: Sequence[str] | None = None
    queue: str | None = None
    status: Status | None = None
    assignee: str | None = None
    """Empty: of nobody."""
    flow: str | None = None
    flow_id: str | None = None
    step: str | None = None
    problem: str | None = None
    kind: str | None = None
    due_before_us: int | None = None
    updated_since_us: int | None = None


def matching(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    """The conditions of ``wanted``."""
    named = {
        exceptions.c.queue: wanted.queue,
        exceptions.c.status: wanted.status,
        exceptions.c.assignee: wanted.assignee,
        exceptions.c.flow: wanted.flow,
        exceptions.c.flow_id: wanted.flow_id,
        exceptions.c.step: wanted.step,
        exceptions.c.problem: wanted.problem,
        exceptions.c.kind: wanted.kind,
    }
    found: list[sa.ColumnElement[bool]] = [column == value for column, value in named.items() if value is not None]
    if wanted.account_ids is not None:
        found.append(exceptions.c.account_id.in_(wanted.account_ids))
    if wanted.due_before_us is not None:
        found.append(exceptions.c.due_us < wanted.due_before_us)
    if wanted.updated_since_us is not None:
        found.append(exceptions.c.updated_us >= wanted.updated_since_us)
    return found


def find(connection: sa.Connection, wanted: Wanted, after: tuple[int, str] | None, limit: int) -> list[Any]:
    """Up to ``limit`` exceptions with their revision, those first that are due first, after a place."""
    query = _with_revision(matching(wanted)).order_by(exceptions.c.due_us, exceptions.c.exception_id).limit(limit)
    if after is not None:
        query = query.where(sa.tuple_(exceptions.c.due_us, exceptions.c.exception_id) > sa.tuple_(*after))
    return list(connection.execute(query))


def one(connection: sa.Connection, exception_id: str) -> Any:
    """An exception with its revision; None where there is none."""
    return connection.execute(_with_revision([exceptions.c.exception_id == exception_id])).one_or_none()


class QueueLoad(Struct, frozen=True, kw_only=True):
    """How much waits in a queue."""

    queue: str
    open: int = 0
    unassigned: int = 0
    overdue: int = 0
    escalated: int = 0
    next_due_us: int | None = None


def loads(connection: sa.Connection, now_us: int) -> list[QueueLoad]:
    """How much waits in each queue, also in those that are empty."""
    is_open = exceptions.c.status == "open"
    query = (
        sa.select(
            exceptions.c.queue,
            sa.func.count(),
            sa.func.sum(sa.case((exceptions.c.assignee == NOBODY, 1), else_=0)),
            sa.func.sum(sa.case((exceptions.c.due_us < now_us, 1), else_=0)),
            sa.func.count(exceptions.c.escalated_us),
            sa.func.min(exceptions.c.due_us),
        )
        .where(is_open)
        .group_by(exceptions.c.queue)
    )
    found = {
        row[0]: QueueLoad(
            queue=row[0], open=row[1], unassigned=int(row[2]), overdue=int(row[3]), escalated=row[4], next_due_us=row[5]
        )
        for row in connection.execute(query)
    }
    names = dict.fromkeys((*QUEUES, *sorted(found)))
    return [found.get(name, QueueLoad(queue=name)) for name in names]


def _with_revision(conditions: Sequence[sa.ColumnElement[bool]]) -> sa.Select[Any]:
    last = (
        sa.select(sa.func.coalesce(sa.func.max(exception_deeds.c.number), 0))
        .where(exception_deeds.c.exception_id == exceptions.c.exception_id)
        .scalar_subquery()
    )
    return sa.select(exceptions, last.label("revision")).where(*conditions)
