"""Accepting a flow: its rows, its events and its place in the queue, in one transaction, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from governance.call import Call
from governance.contract.refusals import IdempotencyKeyReused
from governance.database import dialect_of, for_each_dialect
from process_apis.events.outbox import append
from process_apis.flow.initiator import initiator_of
from process_apis.flow.resting import Enqueue
from process_apis.flow.run import Note
from process_apis.flow.table import Flow
from process_apis.flow.tables import flows
from process_apis.flow.timeline import add_to_timeline, microseconds, timeline_rows
from process_apis.flow.turns import must_wait, turn_of
from process_apis.flow.verdict import FlowStart

if TYPE_CHECKING:
    from process_apis.events.event import NewEvent

State = TypeVar("State")
KEEP = for_each_dialect(lambda insert: insert(flows).on_conflict_do_nothing().returning(flows.c.flow_id))


class Acceptance(Struct, Generic[State], frozen=True, kw_only=True):
    """One flow as it comes."""

    flow: Flow[State]
    flow_id: str
    account_id: str
    fingerprint: str
    first: State
    call: Call
    priority: int
    events: Sequence[NewEvent]
    now: datetime

    def write(self, connection: sa.Connection, enqueue: Enqueue) -> State:
        """Keep the flow, or find the one of this id; its state.

        Raises:
            IdempotencyKeyReused: the id belongs to a flow with another fingerprint.
        """
        row = self._row()
        if connection.execute(KEEP[dialect_of(connection)], row).scalar() is None:
            return self._known(connection)
        self.flow.book.add(connection, self.flow_id, self.first)
        add_to_timeline(connection, timeline_rows(self.flow_id, 0, [self._note()]))
        start = FlowStart(flow_id=self.flow_id, first_step=self.flow.rows[0].name)
        if not row["turn"] or not must_wait(connection, self.flow_id, row["turn"], start):
            enqueue(connection, self.flow.name, start, self.priority)
        append(connection, self.events, self.now)
        return self.first

    def _known(self, connection: sa.Connection) -> State:
        same = sa.select(flows.c.fingerprint).where(flows.c.flow_id == self.flow_id)
        if connection.execute(same).scalar_one() != self.fingerprint:
            raise IdempotencyKeyReused(detail="This key belongs to an order with other content.")
        return self.flow.book.load(connection, self.flow_id)

    def _row(self) -> dict[str, Any]:
        in_turn = self.flow.in_turn
        return {
            "flow_id": self.flow_id,
            "flow": self.flow.name,
            "account_id": self.account_id,
            "fingerprint": self.fingerprint,
            "key": self.flow_id,
            "initiator": msgspec.json.encode(initiator_of(self.call, self.now)).decode(),
            "started_us": microseconds(self.now),
            "priority": self.priority,
            "turn": "" if in_turn is None else turn_of(self.flow.name, in_turn(self.first)),
        }

    def _note(self) -> Note:
        return Note(
            at=self.now,
            step="accept",
            tier="process",
            api=self.flow.api_id,
            operation=self.call.operation_id.rpartition(".")[2],
            outcome="accepted",
        )
