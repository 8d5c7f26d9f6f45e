"""Everything that Tiergate's tables say about one flow, read in one go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from process_apis.events.tables import events
from process_apis.flow.initiator import Initiator
from process_apis.flow.tables import exceptions, flows, signals, timeline
from process_apis.timeline.identifiers import BusinessId
from process_apis.timeline.index import INITIATOR, ids_of
from process_apis.timeline.stretches import Entry
from process_apis.timeline.tables import business_ids


class Kin(Struct, frozen=True, kw_only=True):
    """Another flow of the same account, and how it is related."""

    row: Any
    relation: str


class History(Struct, frozen=True, kw_only=True):
    """A flow with all that belongs to it; rows as the tables have them."""

    row: Any
    initiator: Initiator
    entries: tuple[Entry, ...]
    exceptions: Sequence[Any]
    signals: Sequence[Any]
    events: Sequence[Any]
    ids: tuple[BusinessId, ...]
    kin: tuple[Kin, ...]


def history_of(connection: sa.Connection, flow_id: str) -> History | None:
    """What is kept of a flow; None where there is none of this id."""
    row = connection.execute(sa.select(flows).where(flows.c.flow_id == flow_id)).one_or_none()
    if row is None:
        return None
    done = sa.select(timeline).where(timeline.c.flow_id == flow_id).order_by(timeline.c.position)
    trouble = sa.select(exceptions).where(exceptions.c.flow_id == flow_id).order_by(exceptions.c.opened_us)
    told = sa.select(signals).where(signals.c.flow_id == flow_id).order_by(signals.c.at_us, signals.c.position)
    said = sa.select(events).where(events.c.subject == flow_id).order_by(events.c.sequence)
    ids = ids_of(connection, flow_id)
    return History(
        row=row,
        initiator=INITIATOR.decode(row.initiator),
        entries=tuple(Entry.of(one) for one in connection.execute(done)),
        exceptions=connection.execute(trouble).all(),
        signals=connection.execute(told).all(),
        events=connection.execute(said).all(),
        ids=ids,
        kin=_kin(connection, row, ids),
    )


def _kin(connection: sa.Connection, row: Any, ids: Sequence[BusinessId]) -> tuple[Kin, ...]:
    """Parents and children by run, then flows that name this one and those that it names, each once."""
    naming = sa.select(business_ids.c.flow_id).where(business_ids.c.value == row.flow_id)
    relations = (
        ("parent", flows.c.flow_id == row.parent_id),
        ("child", flows.c.parent_id == row.flow_id),
        ("named_by", flows.c.flow_id.in_(naming)),
        ("names", flows.c.flow_id.in_([one.value for one in ids])),
    )
    found: dict[str, Kin] = {}
    for relation, where in relations:
        query = sa.select(flows).where(where, flows.c.flow_id != row.flow_id, flows.c.account_id == row.account_id)
        for other in connection.execute(query.order_by(flows.c.started_us)):
            found.setdefault(other.flow_id, Kin(row=other, relation=relation))
    return tuple(found.values())
