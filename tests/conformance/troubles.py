"""An order in every trouble at once, for operations that show only what went wrong: rows as flows would leave them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from process_apis.flow.runtime import FlowRuntime
from process_apis.flow.tables import exceptions, flows, orders, timeline
from process_apis.flow.timeline import microseconds

AGO = timedelta(days=30)
DOCUMENT = msgspec.json.Decoder(dict[str, Any])


async def troubled(runtime: FlowRuntime, order_id: str, channel_order_id: str) -> str:
    """Copy an order as one that is late, not invoiced and not told of; the id of its exception."""
    placed = datetime.now(UTC) - AGO
    return await runtime.write(lambda connection: _copied(connection, order_id, channel_order_id, placed))


def _copied(connection: sa.Connection, order_id: str, channel_order_id: str, placed: datetime) -> str:
    stuck_id, exception_id, at_us = f"{order_id}-stuck", f"exc-{order_id}", microseconds(placed)
    if connection.execute(sa.select(flows.c.flow_id).where(flows.c.flow_id == stuck_id)).scalar():
        return exception_id
    flow = dict(connection.execute(sa.select(flows).where(flows.c.flow_id == order_id)).mappings().one())
    order = dict(connection.execute(sa.select(orders).where(orders.c.order_id == order_id)).mappings().one())
    told = {
        "order_id": stuck_id,
        "status": "shipped",
        "stage": "invoice",
        "channel_order_id": channel_order_id,
        "reference": order_id,
    }
    document = DOCUMENT.decode(order["document"]) | told | {"placed_at": placed, "updated_at": placed}
    changed = {"order_id": stuck_id, "status": "shipped", "placed_us": at_us, "updated_us": at_us}
    row = {"tier": "system", "api": "erp.v1", "detail": "", "duration_ms": 1, "at_us": at_us, "flow_id": stuck_id}
    left = {**row, "position": 1_000, "step": "await_dispatch", "operation": "get_shipment", "outcome": "done"}
    failed = {**row, "position": 1_001, "step": "invoice", "operation": "post_invoice", "outcome": "refused"}
    stuck = {
        "exception_id": exception_id, "flow_id": stuck_id, "flow": flow["flow"], "account_id": flow["account_id"],
        "queue": "invoices", "step": "invoice", "kind": "refusal", "problem": "wrong-state", "reason": "Not now.",
        "evidence": '{"stage":"invoice","revision":0,"leg":0,"attempts":1,"error":"Not now."}',
        "choices": '["retry","skip","cancel"]', "status": "open", "opened_us": at_us, "updated_us": at_us,
        "due_us": at_us,
    }  # fmt: skip
    connection.execute(
        sa.insert(flows), flow | {"flow_id": stuck_id, "key": stuck_id, "ended": False, "started_us": at_us}
    )
    connection.execute(sa.insert(orders), order | changed | {"document": msgspec.json.encode(document).decode()})
    connection.execute(sa.insert(timeline), [left, failed])
    connection.execute(sa.insert(exceptions), stuck)
    return exception_id
