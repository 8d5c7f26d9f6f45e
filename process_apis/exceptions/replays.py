"""Which processes are done again when many are: by kind, how they ended, and when they began."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from process_apis.flow.tables import exceptions, flows

UNDER_WAY = "under_way"


class WantedFlows(Struct, frozen=True, kw_only=True):
    """Which flows are asked for; None: any. Instants are microseconds."""

    flow: str
    account_ids: Sequence[str] | None = None
    outcome: str | None = None
    """How they ended, or ``under_way``."""
    problem: str | None = None
    """They had an exception with this problem."""
    since_us: int | None = None
    until_us: int | None = None


def account_of(connection: sa.Connection, flow_id: str) -> str | None:
    """Whose flow it is; None where there is none of this id."""
    return connection.execute(sa.select(flows.c.account_id).where(flows.c.flow_id == flow_id)).scalar()


def wanted_flows(connection: sa.Connection, wanted: WantedFlows, limit: int) -> list[Any]:
    """Up to ``limit`` flows, oldest first, as rows with ``flow_id`` and ``account_id``."""
    query = sa.select(flows.c.flow_id, flows.c.account_id).where(flows.c.flow == wanted.flow)
    if wanted.account_ids is not None:
        query = query.where(flows.c.account_id.in_(wanted.account_ids))
    if wanted.outcome == UNDER_WAY:
        query = query.where(sa.not_(flows.c.ended))
    elif wanted.outcome is not None:
        query = query.where(flows.c.ended, flows.c.outcome == wanted.outcome)
    if wanted.problem is not None:
        met = sa.select(exceptions.c.flow_id).where(exceptions.c.problem == wanted.problem)
        query = query.where(flows.c.flow_id.in_(met))
    if wanted.since_us is not None:
        query = query.where(flows.c.started_us >= wanted.since_us)
    if wanted.until_us is not None:
        query = query.where(flows.c.started_us < wanted.until_us)
    return list(connection.execute(query.order_by(flows.c.started_us, flows.c.flow_id).limit(limit)))
