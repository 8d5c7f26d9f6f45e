"""An order that leaves in parts: each part is sent, issued, invoiced and paid as soon as it can be.

One step, asked again until every part is settled. What it came to is kept whenever something
changed, so a part that left is billed at once and shown, whatever the other parts wait for.
"""

from __future__ import annotations

from msgspec.structs import replace

from process_apis.flow.table import NotYet
from process_apis.order_to_fulfillment.record import OrderRecord
from process_apis.order_to_fulfillment.steps.billing import Billing
from process_apis.order_to_fulfillment.steps.cancelling import CANCEL
from process_apis.order_to_fulfillment.steps.shipping import Shipping
from process_apis.order_to_fulfillment.steps.systems import OrderRun


class Fulfilment(Shipping, Billing):
    """Everything after the release of an order that goes in parts."""

    async def fulfil(self, run: OrderRun) -> OrderRecord:
        """Every part has left and is invoiced, or is not sent any more."""
        order = replace(run.state, fresh=())
        if (wish := run.signal(CANCEL)) and not order.giving_up:
            order = await self._stopped(run, order, wish)
        for part in order.parts:
            if part.status == "planned":
                order = await self._released(run, order, part)
        for number in [part.number for part in order.parts if not part.settled]:
            order = await self._brought_on(run, order, number)
        if all(part.settled for part in order.parts) and not order.missing:
            return order
        if not order.fresh:
            raise NotYet(soon=True)
        run.state = replace(order, stage=stage_of(order), updated_at=run.clock.now())
        raise NotYet(due_at=run.clock.now())

    async def _brought_on(self, run: OrderRun, order: OrderRecord, number: int) -> OrderRecord:
        part = order.parts[number - 1]
        if not part.gone:
            with run.at("await_dispatch"):
                order = await self._looked_at(run, order, part)
        part = order.parts[number - 1]
        return await self._billed(run, order, part) if part.gone else order


def stage_of(order: OrderRecord) -> str:
    """How far an order in parts is, in a word."""
    if any(part.gone for part in order.parts):
        return "partly_shipped"
    return "fulfil"
