"""Turns: flows that must not overtake each other, such as the orders of one customer.

Flows with the same turn pass their steps up to the pivot one after another, in the order in which
they were accepted; from the pivot on they run side by side. A flow that has to wait is a row that no
process carries. One that rests for a signal or for people holds up those behind it, which is what
keeps the order.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from governance.call import derive_key
from process_apis.flow.resting import Enqueue, wake
from process_apis.flow.tables import flows
from process_apis.flow.verdict import FlowStart

WAITS = "turn"
LOCK_CLASS = 7_416_034


def turn_of(flow: str, key: str) -> str:
    """The turn of this flow's runs with this key; empty: none."""
    return derive_key("turn", flow, key) if key else ""


def must_wait(connection: sa.Connection, flow_id: str, turn: str, start: FlowStart) -> bool:
    """Whether another flow is before this new one, which is laid to rest then."""
    _alone(connection, turn)
    before = sa.select(flows.c.flow_id).where(
        flows.c.turn == turn, flows.c.flow_id != flow_id, sa.not_(flows.c.ended), sa.not_(flows.c.committed)
    )
    if connection.execute(before.limit(1)).scalar() is None:
        return False
    waits = sa.update(flows).where(flows.c.flow_id == flow_id)
    connection.execute(waits.values(resting=WAITS, following=msgspec.json.encode(start).decode()))
    return True


def pass_turn(connection: sa.Connection, turn: str, enqueue: Enqueue) -> None:
    """Let the next flow of this turn begin, once none before it is short of its pivot; asking again does nothing."""
    _alone(connection, turn)
    short = sa.and_(flows.c.turn == turn, sa.not_(flows.c.ended), sa.not_(flows.c.committed))
    if connection.execute(sa.select(flows.c.flow_id).where(short, flows.c.resting != WAITS).limit(1)).scalar():
        return
    waiting = sa.select(*flows.c).where(short, flows.c.resting == WAITS)
    oldest = waiting.order_by(flows.c.started_us, flows.c.flow_id).limit(1).with_for_update(skip_locked=True)
    if (row := connection.execute(oldest).one_or_none()) is not None:
        wake(connection, row, enqueue)


def _alone(connection: sa.Connection, turn: str) -> None:
    # SQLite has one writer. Elsewhere who comes and who leaves must see each other, in either order.
    if connection.dialect.name != "sqlite":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_CLASS, sa.func.hashtext(turn))))
