"""Orders that wait for goods hear when there are some: ``stock.changed`` in the log of events becomes their signal.

Every process that runs flows looks; a signal is kept once, whoever sends it. What happened while nobody
looked is found by the orders themselves, which look for their goods every few minutes anyway.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import msgspec
import sqlalchemy as sa

from governance.contract.refusals import SystemUnavailable
from process_apis.events.event import Event
from process_apis.events.log import Wanted, events_after, settled
from process_apis.events.taxonomy.stock import StockChanged
from process_apis.flow.runtime import FlowRuntime
from process_apis.flow.tables import flows, orders
from process_apis.order_to_fulfillment.book import decoded
from process_apis.order_to_fulfillment.steps.stock import STOCK

log = logging.getLogger("tiergate.orders")
LOOK_S = 1.0
AT_ONCE = 200
WANTED = Wanted(types=("stock.changed",))
WAITS = '%"back_order":{%'
"""What the document of an order holds that waits, or waited, for goods."""


class StockWatch:
    """Looks for stock that came in for as long as the process lives."""

    def __init__(self, runtime: FlowRuntime, *, look_s: float = LOOK_S) -> None:
        self._flows = runtime
        self._look_s = look_s
        self._position: int | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look now and then."""
        self._task = asyncio.create_task(self._go(), name="stock-watch")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _go(self) -> None:
        while True:
            if self._flows.running:
                try:
                    await self.look()
                except SystemUnavailable as away:
                    log.info("stock can't be watched now: %s", away.detail)
            await asyncio.sleep(self._look_s)

    async def look(self) -> None:
        """Tell the orders that wait for what came in since the look before."""
        came = await self._flows.read(self._came)
        told = {_changed(event).sku: event.position for event in came if _changed(event).available > 0}
        if not told:
            return
        for order_id, skus in await self._flows.read(_waiting):
            if positions := [told[sku] for sku in skus & told.keys()]:
                newest = str(max(positions))
                await self._flows.signal(order_id, STOCK, newest.encode(), f"{STOCK}:{newest}")

    def _came(self, connection: sa.Connection) -> list[Event]:
        if self._position is None:
            self._position = settled(connection)
            return []
        came = events_after(connection, self._position, AT_ONCE, WANTED)
        if came:
            self._position = came[-1].position
        return came


def _changed(event: Event) -> StockChanged:
    return msgspec.json.decode(event.data, type=StockChanged)


def _waiting(connection: sa.Connection) -> list[tuple[str, set[str]]]:
    """The orders that rest and wait for goods, and for which."""
    query = (
        sa.select(orders.c.document)
        .join(flows, flows.c.flow_id == orders.c.order_id)
        .where(flows.c.due_us.is_not(None), orders.c.document.like(WAITS))
    )
    found = [decoded(document) for document in connection.execute(query).scalars()]
    return [(order.order_id, {line.sku for line in order.missing}) for order in found]
