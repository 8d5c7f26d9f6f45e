"""Which systems of record are read: their change logs, and what their vendors reported by webhook."""

from __future__ import annotations

from process_apis.events.gathering import Source
from system_apis.canonical.changes import Change, Changes
from system_apis.erp.v1.contract import ErpV1
from system_apis.logistics.v1.contract import LogisticsV1
from system_apis.payments.v1.contract import PaymentsV1


def sources(erp: ErpV1, logistics: LogisticsV1, payments: PaymentsV1) -> tuple[Source, ...]:
    """Everything that is read. A webhook and a change of the same record mean the same events, once."""

    async def carrier(after: int, limit: int) -> Changes:
        found = await logistics.list_notices(after=after, limit=limit)
        items = tuple(
            Change(position=one.position, kind="shipment", record_id=one.notice.shipment_id) for one in found.items
        )
        return Changes(items=items, position=found.position)

    async def provider(after: int, limit: int) -> Changes:
        found = await payments.list_notices(after=after, limit=limit)
        items = tuple(
            Change(position=one.position, kind="payment", record_id=one.notice.payment_id) for one in found.items
        )
        return Changes(items=items, position=found.position)

    return (
        Source(name="erp", changes=lambda after, limit: erp.list_changes(after=after, limit=limit)),
        Source(name="logistics", changes=lambda after, limit: logistics.list_changes(after=after, limit=limit)),
        Source(name="payments", changes=lambda after, limit: payments.list_changes(after=after, limit=limit)),
        Source(name="logistics webhooks", changes=carrier),
        Source(name="payments webhooks", changes=provider),
    )
