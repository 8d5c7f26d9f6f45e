"""Finds flows by any id that people have in hand: order, customer reference, invoice, shipment, payment, key.

Nothing is written for it while orders are placed and worked on: whoever searches first has the index
caught up, with the flows that were not there the last time or went on since. What is found is
therefore as of the search, and a flow costs nothing until somebody looks for one. Two processes that
catch up at once write the same rows. A flow whose timeline is forgotten is found no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from governance.call import child_key
from governance.call.keys import edge_key
from governance.contract import NotFound
from governance.database import dialect_of, for_each_dialect
from process_apis.flow.initiator import Initiator
from process_apis.flow.retention import AT_ONCE as OLD_AT_ONCE
from process_apis.flow.retention import ended_before
from process_apis.flow.table import Flow
from process_apis.flow.tables import flows, timeline
from process_apis.timeline.identifiers import KEY, BusinessId, business_ids_of
from process_apis.timeline.tables import business_ids, indexed_flows, key_makers

BATCH = 500
AT_ONCE = 1_000
"""So many values are asked for in one statement."""
INITIATOR = msgspec.json.Decoder(Initiator)
NAME = for_each_dialect(lambda insert: insert(business_ids).on_conflict_do_nothing())
MAKE = for_each_dialect(lambda insert: insert(key_makers).on_conflict_do_nothing())


def _looked(insert: Any) -> Any:
    new = insert(indexed_flows)
    changed = {"position": new.excluded.position, "ended": new.excluded.ended}
    return new.on_conflict_do_update(index_elements=["flow_id"], set_=changed)


LOOKED = for_each_dialect(_looked)


class Found(Struct, frozen=True, kw_only=True):
    """A flow that an id belongs to."""

    flow_id: str
    flow: str
    account_id: str
    started_us: int
    ended: bool
    matched: tuple[str, ...]
    """What the id is to it, such as ``invoice``."""


def catch_up(connection: sa.Connection, known: Mapping[str, Flow[Any]]) -> bool:
    """Look through up to ``BATCH`` flows that changed since they were indexed; whether there may be more."""
    newest = sa.select(sa.func.max(timeline.c.position)).where(timeline.c.flow_id == flows.c.flow_id).scalar_subquery()
    seen = flows.outerjoin(indexed_flows, flows.c.flow_id == indexed_flows.c.flow_id)
    forgotten = sa.and_(flows.c.ended, newest.is_(None))
    went_on = sa.and_(sa.not_(indexed_flows.c.ended), indexed_flows.c.position < newest)
    changed = sa.or_(indexed_flows.c.flow_id.is_(None), indexed_flows.c.ended != flows.c.ended, went_on)
    query = (
        sa.select(flows.c.flow_id, flows.c.flow, flows.c.account_id, flows.c.initiator, flows.c.ended, newest)
        .select_from(seen)
        .where(changed, sa.not_(forgotten))
        .limit(BATCH)
    )
    rows = connection.execute(query).all()
    if rows:
        _keep(connection, rows, known)
    return len(rows) == BATCH


def forget(connection: sa.Connection, before_us: int) -> int:
    """Forget by what some flows were found that ended before this; how many flows."""
    indexed = ended_before(before_us).where(sa.exists().where(indexed_flows.c.flow_id == flows.c.flow_id))
    ids = list(connection.execute(indexed.limit(OLD_AT_ONCE)).scalars())
    if ids:
        connection.execute(sa.delete(business_ids).where(business_ids.c.flow_id.in_(ids)))
        connection.execute(sa.delete(indexed_flows).where(indexed_flows.c.flow_id.in_(ids)))
    return len(ids)


def keys_made_of(connection: sa.Connection, key: str, edges: Sequence[str]) -> list[str]:
    """What flows may have been started under when a client sent ``key`` to one of the operations ``edges``.

    A key is derived at the edge from client, account and operation, and again for each inner call
    (``governance.call.keys``), so that it can't be read back; it can be derived again for each client.
    """
    found: list[str] = []
    for client_id, account, operation_id in connection.execute(sa.select(key_makers)):
        found.append(edge_key(client_id, account, operation_id, key))
        found += [child_key(edge_key(client_id, account, edge, key), operation_id, "1") for edge in edges]
    return found


def find(connection: sa.Connection, values: Sequence[str], account_ids: Sequence[str] | None) -> list[Found]:
    """The flows that any of these ids belongs to, newest first; of these accounts, or of all."""
    found: dict[str, Found] = {}
    for first in range(0, len(values), AT_ONCE):
        for row in connection.execute(_named_by(values[first : first + AT_ONCE], account_ids)):
            before = found.get(row.flow_id)
            kinds = dict.fromkeys((*(before.matched if before else ()), row.kind))
            found[row.flow_id] = Found(
                flow_id=row.flow_id,
                flow=row.flow,
                account_id=row.account_id,
                started_us=row.started_us,
                ended=row.ended,
                matched=tuple(kinds),
            )
    return sorted(found.values(), key=lambda one: (one.started_us, one.flow_id), reverse=True)


def _named_by(values: Sequence[str], account_ids: Sequence[str] | None) -> Any:
    query = (
        sa.select(
            flows.c.flow_id, flows.c.flow, flows.c.account_id, flows.c.started_us, flows.c.ended, business_ids.c.kind
        )
        .join(business_ids, business_ids.c.flow_id == flows.c.flow_id)
        .where(business_ids.c.value.in_(values))
        .order_by(flows.c.flow_id, business_ids.c.kind)
    )
    return query if account_ids is None else query.where(flows.c.account_id.in_(account_ids))


def ids_of(connection: sa.Connection, flow_id: str) -> tuple[BusinessId, ...]:
    """What is known by of one flow."""
    query = sa.select(business_ids.c.kind, business_ids.c.value).where(business_ids.c.flow_id == flow_id)
    return tuple(sorted(BusinessId(kind=row.kind, value=row.value) for row in connection.execute(query)))


def _keep(connection: sa.Connection, rows: Sequence[Any], known: Mapping[str, Flow[Any]]) -> None:
    named = [
        {"value": one.value, "kind": one.kind, "flow_id": row.flow_id, "account_id": row.account_id}
        for row in rows
        for one in _named(connection, row, known)
    ]
    dialect = dialect_of(connection)
    connection.execute(NAME[dialect], named)
    connection.execute(MAKE[dialect], [_maker(row) for row in rows])
    looked = [{"flow_id": row.flow_id, "position": row[-1] or 0, "ended": row.ended} for row in rows]
    connection.execute(LOOKED[dialect], looked)


def _maker(row: Any) -> dict[str, str]:
    initiator = INITIATOR.decode(row.initiator)
    account = initiator.account_ids[0] if initiator.account_ids else ""
    return {"client_id": initiator.client_id, "account": account, "operation_id": initiator.operation_id}


def _named(connection: sa.Connection, row: Any, known: Mapping[str, Flow[Any]]) -> set[BusinessId]:
    found = {BusinessId(kind=row.flow, value=row.flow_id)}
    if key := INITIATOR.decode(row.initiator).idempotency_key:
        found.add(BusinessId(kind=KEY, value=key))
    flow = known.get(row.flow)
    if flow is not None:
        try:
            found.update(business_ids_of(flow.book.load(connection, row.flow_id)))
        except NotFound:  # retention took the record and not yet the flow
            return found
    return found
