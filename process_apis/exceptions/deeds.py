"""Deeds: what people did about an exception, each exactly once and in one order.

Whoever acts says which revision they saw; of two who saw the same one, the second is told that the
record has changed. A deed is written in one transaction with its mark on the process's timeline.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from msgspec import Struct

from governance.contract.refusals import PreconditionFailed
from governance.database import dialect_of, for_each_dialect
from process_apis.exceptions.tables import exception_deeds
from process_apis.flow.resting import note_between, taken
from process_apis.flow.retention import AT_ONCE
from process_apis.flow.run import Note
from process_apis.flow.tables import exceptions, flows
from process_apis.flow.timeline import microseconds

Word = Literal["assigned", "unassigned", "commented", "decided", "escalated", "notified"]
API = "exceptions.v1"
ANY = "*"
KEEP = for_each_dialect(
    lambda insert: insert(exception_deeds).on_conflict_do_nothing().returning(exception_deeds.c.number)
)


class Deed(Struct, frozen=True, kw_only=True):
    """What somebody does about an exception."""

    word: Word
    operation: str
    by: str
    detail: str = ""
    key: str = ""
    """A deed of the same key is written once; empty where the revision tells repeats."""


def deeds_of(connection: sa.Connection, exception_id: str) -> list[Any]:
    """Everything that was done about it, oldest first."""
    query = sa.select(exception_deeds).where(exception_deeds.c.exception_id == exception_id)
    return list(connection.execute(query.order_by(exception_deeds.c.number)))


def act(connection: sa.Connection, row: Any, deed: Deed, revision: str, now: datetime, **changes: Any) -> int:
    """Write a deed about the exception of ``row`` and change its columns; the exception's new revision.

    Raises:
        PreconditionFailed: somebody did something about it since ``revision``.
    """
    flow = taken(connection, row.flow_id)  # from here on nobody else acts about it
    last: int = connection.execute(
        sa.select(sa.func.coalesce(sa.func.max(exception_deeds.c.number), 0)).where(
            exception_deeds.c.exception_id == row.exception_id
        )
    ).scalar_one()
    if deed.key and _known(connection, row.exception_id, deed.key):
        return last
    if revision not in (ANY, str(last)):
        raise PreconditionFailed
    values = {
        "exception_id": row.exception_id,
        "number": last + 1,
        "at_us": microseconds(now),
        "deed": deed.word,
        "by": deed.by,
        "detail": deed.detail,
        "key": deed.key,
    }
    if connection.execute(KEEP[dialect_of(connection)], values).scalar() is None:
        raise PreconditionFailed
    this = exceptions.c.exception_id == row.exception_id
    connection.execute(sa.update(exceptions).where(this).values(updated_us=microseconds(now), **changes))
    if flow is not None:
        note = Note(
            at=now, step=row.step, tier="process", api=API, operation=deed.operation, outcome=deed.word,
            detail=f"{deed.by}: {deed.detail}" if deed.detail else deed.by,
        )  # fmt: skip
        note_between(connection, row.flow_id, flow.leg, note)
    return last + 1


def forget(connection: sa.Connection, before_us: int) -> int:
    """Forget what people did about exceptions, long settled, of flows that ended before this; about how many."""
    done = sa.exists().where(exception_deeds.c.exception_id == exceptions.c.exception_id)
    old = (
        sa.select(exceptions.c.exception_id)
        .join(flows, flows.c.flow_id == exceptions.c.flow_id)
        .where(flows.c.ended, flows.c.ended_us < before_us, exceptions.c.status != "open", done)
        .limit(AT_ONCE)
    )
    ids = list(connection.execute(old).scalars())
    if ids:
        connection.execute(sa.delete(exception_deeds).where(exception_deeds.c.exception_id.in_(ids)))
    return len(ids)


def _known(connection: sa.Connection, exception_id: str, key: str) -> bool:
    this = sa.and_(exception_deeds.c.exception_id == exception_id, exception_deeds.c.key == key)
    return connection.execute(sa.select(exception_deeds.c.number).where(this)).first() is not None
