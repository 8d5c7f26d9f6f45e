"""An order that leaves in parts: each part is sent, issued, invoiced and paid as soon as it can be.

One step, asked again until every part is settled. What it came to is kept whenever something
changed, so a part that left is billed at once and shown, whatever the other parts wait for.
"""

from __future__ import annotations

from msgspec.structs import replace

from process_apis.flow.table import NotYet
from process_apis.order_to_fulfillment.channels import channel_of
from process_apis.order_to_fulfillment.documents import reserving_step
from process_apis.order_to_fulfillment.parts import given_up
from process_apis.order_to_fulfillment.record import OrderRecord
from process_apis.order_to_fulfillment.steps.billing import Billing
from process_apis.order_to_fulfillment.steps.cancelling import CANCEL
from process_apis.order_to_fulfillment.steps.shipping import Shipping
from process_apis.order_to_fulfillment.steps.stock import BACK_ORDERED, STOCK, Stock, asks_people, next_look
from process_apis.order_to_fulfillment.steps.systems import OrderRun
from system_apis.canonical.refusals import InsufficientStock


class Fulfilment(Stock, Shipping, Billing):
    """Everything after the release of an order that goes in parts."""

    async def fulfil(self, run: OrderRun) -> OrderRecord:
        """Every part has left and is invoiced, or is not sent any more."""
        order = replace(run.state, fresh=())
        if (wish := run.signal(CANCEL)) is not None and not order.giving_up:
            order = await self._stopped(run, order, wish)
        order = await self._replenished(run, order)
        if order.turns > run.state.turns:  # kept before any of it is sent, or a cancel would not find it
            run.state = replace(order, stage=stage_of(order), updated_at=run.clock.now())
            raise NotYet(due_at=run.clock.now())
        for part in order.parts:
            if part.status == "planned":
                order = await self._released(run, order, part)
        for number in [part.number for part in order.parts if not part.settled]:
            order = await self._brought_on(run, order, number)
        if all(part.settled for part in order.parts) and not order.missing:
            return order
        if not order.fresh:
            run.state = order
            raise NotYet(due_at=next_look(order)) if rests(order) else NotYet(soon=True)
        run.state = replace(order, stage=stage_of(order), updated_at=run.clock.now())
        raise NotYet(due_at=run.clock.now())

    async def _replenished(self, run: OrderRun, order: OrderRecord) -> OrderRecord:
        """The order with what has come in set aside; given up, or for people, once it waited long enough."""
        back_order, now = order.back_order, run.clock.now()
        if back_order is None or not order.missing or any(part.status == "planned" for part in order.parts):
            return order
        heard = (run.signal(STOCK) or b"").decode()
        if heard == back_order.heard and now < min(back_order.look_at, back_order.until):
            return order
        order = replace(order, back_order=replace(back_order, heard=heard))
        turn = order.turns + 1
        try:
            with run.at(reserving_step(turn)):
                return await self._reserved(run, order, turn)
        except InsufficientStock as short:
            if now < back_order.until or asks_people(order):
                return await self._short(run, order, short)
            days = channel_of(order.channel).back_order_days
            return replace(given_up(order), giving_up=f"What was short did not come within {days} days.")

    async def _brought_on(self, run: OrderRun, order: OrderRecord, number: int) -> OrderRecord:
        part = order.parts[number - 1]
        if not part.gone:
            with run.at("await_dispatch"):
                order = await self._looked_at(run, order, part)
        part = order.parts[number - 1]
        return await self._billed(run, order, part) if part.gone else order


def rests(order: OrderRecord) -> bool:
    """Whether nothing of it is under way, and it waits for goods only."""
    return bool(order.missing) and all(part.settled for part in order.parts)


def stage_of(order: OrderRecord) -> str:
    """How far an order in parts is, in a word."""
    if any(part.gone for part in order.parts):
        return BACK_ORDERED if rests(order) else "partly_shipped"
    return "fulfil"
