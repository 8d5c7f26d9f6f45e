"""Orders in Tiergate's own tables: the document, and the columns by which orders are looked up."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from governance.contract import NotFound
from process_apis.flow.table import Refused
from process_apis.flow.tables import orders
from process_apis.flow.timeline import microseconds
from process_apis.order_to_fulfillment.channels import channel_of
from process_apis.order_to_fulfillment.duplicates import compared
from process_apis.order_to_fulfillment.parts import upgraded
from process_apis.order_to_fulfillment.record import OrderRecord

RECORD = msgspec.json.Decoder(OrderRecord)
LOAD = sa.select(orders.c.document).where(orders.c.order_id == sa.bindparam("this"))
ADD = sa.insert(orders)
SAVE = sa.update(orders).where(orders.c.order_id == sa.bindparam("this"))
ENDED_OTHERWISE = ("rejected", "cancelled", "on_hold")


class OrderFilter(Struct, frozen=True, kw_only=True):
    """Which orders are asked for; None: any."""

    account_ids: tuple[str, ...] | None = None
    status: str | None = None
    reference: str | None = None
    updated_since: datetime | None = None


class OrderBook:
    """Keeps orders for the flow, in its transactions, and finds them."""

    def load(self, connection: sa.Connection, flow_id: str) -> OrderRecord:
        """The order of this id.

        Raises:
            NotFound: there is none.
        """
        document = connection.execute(LOAD, {"this": flow_id}).scalar()
        if document is None:
            raise NotFound()
        return decoded(document)

    def add(self, connection: sa.Connection, flow_id: str, state: OrderRecord) -> None:
        """Keep a new order.

        Raises:
            DuplicateOrder: it looks like another one, and its channel refuses such orders.
        """
        state = compared(connection, state, channel_of(state.channel))
        row = {
            "order_id": flow_id,
            "account_id": state.account_id,
            "reference": state.reference,
            "channel": state.channel,
            "placed_us": microseconds(state.placed_at),
            **_changing(state),
        }
        connection.execute(ADD, row)

    def save(self, connection: sa.Connection, flow_id: str, state: OrderRecord) -> None:
        """Keep an order's new state."""
        connection.execute(SAVE, {"this": flow_id, **_changing(state)})

    def mark(self, state: OrderRecord, status: str | None, stage: str, at: datetime) -> OrderRecord:
        """The order under a new status and stage; the reason goes with the trouble."""
        status, stage = _ending(state, status or state.status, stage)
        if status in ("rejected", "cancelled"):  # nobody will pay with it any more
            state = replace(state, card_token=None)
        if status in ENDED_OTHERWISE:
            reason = state.reason or state.giving_up or None
            return replace(state, status=status, stage=stage, updated_at=at, reason=reason)
        return replace(state, status=status, stage=stage, updated_at=at, reason=None, problem=None)

    def explain(self, state: OrderRecord, why: Refused) -> OrderRecord:
        """The order with the reason for what is wrong."""
        return replace(state, reason=why.reason or None, problem=why.problem or None)

    def find(
        self, connection: sa.Connection, which: OrderFilter, after: tuple[int, str] | None, limit: int
    ) -> list[OrderRecord]:
        """Up to ``limit`` orders, newest first, those below ``after`` (instant in microseconds, id)."""
        query = sa.select(orders.c.document).order_by(orders.c.placed_us.desc(), orders.c.order_id.desc()).limit(limit)
        if which.account_ids is not None:
            query = query.where(orders.c.account_id.in_(which.account_ids))
        if which.status is not None:
            query = query.where(orders.c.status == which.status)
        if which.reference is not None:
            query = query.where(orders.c.reference == which.reference)
        if which.updated_since is not None:
            query = query.where(orders.c.updated_us >= microseconds(which.updated_since))
        if after is not None:
            query = query.where(sa.tuple_(orders.c.placed_us, orders.c.order_id) < sa.tuple_(*after))
        return [decoded(document) for document in connection.execute(query).scalars()]


def _ending(state: OrderRecord, status: str, stage: str) -> tuple[str, str]:
    """What an order is called that was cancelled while parts of it were under way."""
    if status in ("shipped", "invoiced") and state.parts and not any(part.gone for part in state.parts):
        return state.status, stage
    if status == "completed" and state.ending:
        return state.ending, state.ending
    return status, state.ending if state.ending and stage == "completed" else stage


def decoded(document: str | bytes) -> OrderRecord:
    """The order that a document is, whichever version of this code wrote it."""
    return upgraded(RECORD.decode(document))


def _changing(state: OrderRecord) -> dict[str, object]:
    return {
        "status": state.status,
        "document": msgspec.json.encode(replace(state, fresh=())).decode(),
        "updated_us": microseconds(state.updated_at),
    }
