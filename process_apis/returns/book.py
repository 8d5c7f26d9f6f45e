"""Returns in Tiergate's own tables: the document, and the columns by which returns are looked up."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from governance.contract import NotFound
from process_apis.flow.table import Refused
from process_apis.flow.timeline import microseconds
from process_apis.returns.record import ReturnRecord
from process_apis.returns.tables import returns
from system_apis.canonical.refusals import ReturnExpired

RECORD = msgspec.json.Decoder(ReturnRecord)
TROUBLED = ("rejected", "cancelled", "on_hold")


class ReturnFilter(Struct, frozen=True, kw_only=True):
    """Which returns are asked for; None: any."""

    account_ids: tuple[str, ...] | None = None
    order_id: str | None = None
    status: str | None = None
    updated_since: datetime | None = None


class ReturnBook:
    """Keeps returns for the flow, in its transactions, and finds them."""

    def load(self, connection: sa.Connection, flow_id: str) -> ReturnRecord:
        """The return of this id.

        Raises:
            NotFound: there is none.
        """
        query = sa.select(returns.c.document).where(returns.c.return_id == flow_id)
        document = connection.execute(query).scalar()
        if document is None:
            raise NotFound()
        return RECORD.decode(document)

    def add(self, connection: sa.Connection, flow_id: str, state: ReturnRecord) -> None:
        """Keep a new return."""
        row = {
            "return_id": flow_id,
            "account_id": state.account_id,
            "order_id": state.order_id,
            "requested_us": microseconds(state.requested_at),
            **_changing(state),
        }
        connection.execute(sa.insert(returns), row)

    def save(self, connection: sa.Connection, flow_id: str, state: ReturnRecord) -> None:
        """Keep a return's new state."""
        connection.execute(sa.update(returns).where(returns.c.return_id == flow_id).values(**_changing(state)))

    def mark(self, state: ReturnRecord, status: str | None, stage: str, at: datetime) -> ReturnRecord:
        """The return under a new status and stage; the reason goes with the trouble."""
        status = status or state.status
        if status in TROUBLED:
            return replace(state, status=status, stage=stage, updated_at=at)
        return replace(state, status=status, stage=stage, updated_at=at, end_reason=None, problem=None)

    def explain(self, state: ReturnRecord, why: Refused) -> ReturnRecord:
        """The return with the reason for what is wrong; one whose goods never came has expired."""
        expired = state.status == "rejected" and why.problem == ReturnExpired.type
        status = "expired" if expired else state.status
        return replace(state, status=status, end_reason=why.reason or None, problem=why.problem or None)

    def find(
        self, connection: sa.Connection, which: ReturnFilter, after: tuple[int, str] | None, limit: int
    ) -> list[ReturnRecord]:
        """Up to ``limit`` returns, newest first, those below ``after`` (instant in microseconds, id)."""
        newest = (returns.c.requested_us.desc(), returns.c.return_id.desc())
        query = sa.select(returns.c.document).order_by(*newest).limit(limit)
        if which.account_ids is not None:
            query = query.where(returns.c.account_id.in_(which.account_ids))
        if which.order_id is not None:
            query = query.where(returns.c.order_id == which.order_id)
        if which.status is not None:
            query = query.where(returns.c.status == which.status)
        if which.updated_since is not None:
            query = query.where(returns.c.updated_us >= microseconds(which.updated_since))
        if after is not None:
            query = query.where(sa.tuple_(returns.c.requested_us, returns.c.return_id) < sa.tuple_(*after))
        return [RECORD.decode(document) for document in connection.execute(query).scalars()]


def _changing(state: ReturnRecord) -> dict[str, object]:
    return {
        "status": state.status,
        "document": msgspec.json.encode(state).decode(),
        "updated_us": microseconds(state.updated_at),
    }
