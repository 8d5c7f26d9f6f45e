"""Signals: what the world outside tells a flow, kept as rows until a step reads them.

A signal is kept once, whoever sends it again, and may come before its flow. Wishes to amend a flow
are kept the same way, under a name of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from governance.database import dialect_of, for_each_dialect
from process_apis.flow.tables import signals
from process_apis.flow.timeline import microseconds

AMENDMENT = "amend"
CANCEL = "cancel"
"""What a flow is told that people cancel after its pivot; a step that listens to it sees to what that means."""
NEWEST = sa.select(sa.func.coalesce(sa.func.max(signals.c.position), 0)).where(signals.c.flow_id == sa.bindparam("to"))
KEEP = for_each_dialect(
    lambda insert: (
        insert(signals)
        .values(
            flow_id=sa.bindparam("to"),
            source_id=sa.bindparam("source"),
            name=sa.bindparam("named"),
            position=NEWEST.scalar_subquery() + 1,
            body=sa.bindparam("content"),
            at_us=sa.bindparam("at"),
        )
        .on_conflict_do_nothing()
        .returning(signals.c.position)
    )
)
HEARD = (
    sa.select(signals.c.name, signals.c.body, signals.c.position)
    .where(signals.c.flow_id == sa.bindparam("to"), signals.c.name.in_(sa.bindparam("names", expanding=True)))
    .order_by(signals.c.position)
)


class Signal(Struct, frozen=True, kw_only=True):
    """What a flow is told, once per source id."""

    flow_id: str
    name: str
    body: bytes
    source_id: str


def keep_signal(connection: sa.Connection, flow_id: str, name: str, body: bytes, source_id: str, now: datetime) -> bool:
    """Keep a signal as the newest; False when it is known. The flow's row is taken, where there is one."""
    row = {"to": flow_id, "source": source_id, "named": name, "content": body, "at": microseconds(now)}
    return connection.execute(KEEP[dialect_of(connection)], row).scalar() is not None


def signed(wish: bytes, by: str) -> bytes:
    """A wish with ``by``, whose it is, whoever it names itself; what is no JSON object is left as it is."""
    try:
        stated = msgspec.json.decode(wish or b"{}", type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return wish
    return msgspec.json.encode({**stated, "by": by})


def heard(connection: sa.Connection, flow_id: str, names: Sequence[str]) -> tuple[dict[str, bytes], int]:
    """The newest body of each of these signals, and the position of the newest of all."""
    rows = connection.execute(HEARD, {"to": flow_id, "names": names}).all()
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
