"""Shipping: each part of an order is a shipment of its warehouse, from release to dispatch.

A warehouse that says another day, or gives a shipment up, is heard here: a delay is told to the customer and
to sales, a shipment that the warehouse cancelled by itself is for people.
"""

from __future__ import annotations

from msgspec.structs import replace

from process_apis.flow.table import NotYet
from process_apis.order_to_fulfillment.documents import shipment_from, shipping_step
from process_apis.order_to_fulfillment.parts import with_part
from process_apis.order_to_fulfillment.record import Fresh, OrderRecord, Part
from process_apis.order_to_fulfillment.steps.cancelling import CANCEL, Cancelling
from process_apis.order_to_fulfillment.steps.systems import OrderRun
from system_apis.canonical.entities import Shipment
from system_apis.canonical.refusals import WrongState
from system_apis.logistics.v1.contract import LogisticsV1
from system_apis.logistics.v1.model import ForAccount
from system_apis.notifications.v1.model import OrderDelayed


class Shipping(Cancelling):
    """The goods on their way to the carrier."""

    async def ship(self, run: OrderRun) -> OrderRecord:
        """Each warehouse has its part of the order to pick and send."""
        order = replace(run.state, fresh=())
        for part in order.parts:
            order = await self._released(run, order, part)
        return replace(order, card_token=None)

    async def recall(self, run: OrderRun) -> bool:
        """No warehouse sends anything."""
        recalled = False
        for warehouse in reversed(run.state.warehouses):
            reference = run.key_of(LogisticsV1.release_shipment, shipping_step(warehouse))
            with run.at(f"undo:ship:{warehouse}"):
                result = await self._logistics.cancel_shipment(reference, ForAccount(account_id=run.state.account_id))
            recalled = recalled or result.outcome == "cancelled"
        return recalled

    async def await_dispatch(self, run: OrderRun) -> OrderRecord:
        """What was not cancelled has left its warehouse."""
        order = replace(run.state, fresh=())
        if (wish := run.signal(CANCEL)) is not None and not order.giving_up:
            order = await self._stopped(run, order, wish)
        for part in order.parts:
            if part.status != "cancelled":
                order = await self._looked_at(run, order, part)
        if all(part.gone or part.status == "cancelled" for part in order.parts):
            return order
        if not order.fresh:
            raise NotYet(soon=True)
        run.state = replace(order, updated_at=run.clock.now())
        raise NotYet(due_at=run.clock.now())

    async def _released(self, run: OrderRun, order: OrderRecord, part: Part) -> OrderRecord:
        with run.at(shipping_step(part.warehouse, part.turn)):
            shipment = await self._logistics.release_shipment(shipment_from(order, part))
            run.say(f"{shipment.shipment_id} from {part.warehouse}")
        sent = replace(part, shipment_id=shipment.shipment_id, status="released", promised_on=order.requested_on)
        return replace(with_part(order, sent), fresh=(*order.fresh, Fresh("released", part.number)))

    async def _looked_at(self, run: OrderRun, order: OrderRecord, part: Part) -> OrderRecord:
        """The order with what the warehouse says of a part now."""
        shipment = await self._logistics.get_shipment(part.shipment_id or "")
        run.say(f"{shipment.shipment_id} {shipment.status} {shipment.carrier} {shipment.tracking_number}".rstrip())
        if shipment.status == "cancelled":
            raise WrongState(
                record_id=shipment.shipment_id, state="cancelled", needs="dispatched",
                detail=f"The warehouse cancelled shipment {shipment.shipment_id}.",
            )  # fmt: skip
        seen = replace(
            part,
            status=shipment.status,
            carrier=shipment.carrier,
            tracking_number=shipment.tracking_number,
            promised_on=shipment.promised_on,
        )
        fresh = order.fresh
        if is_later(part, shipment):
            await self._tell_delay(run, order, shipment)
            fresh = (*fresh, Fresh("delayed", part.number))
        if seen.gone and not part.gone:
            fresh = (*fresh, Fresh("dispatched", part.number))
        return replace(with_part(order, seen), fresh=fresh)

    async def _tell_delay(self, run: OrderRun, order: OrderRecord, shipment: Shipment) -> None:
        promised_on = shipment.promised_on
        why = next((event.note for event in reversed(shipment.events) if event.status == "delayed"), "")
        with run.at(f"tell_delay:{shipment.shipment_id}:{promised_on}"):
            content = OrderDelayed(
                order_id=order.order_id,
                order_reference=order.reference,
                expected_on=promised_on,
                shipment_id=shipment.shipment_id,
                reason=why,
            )
            await self._letters.tell(run, order.account_id, content)
            words = f"Order {order.reference} comes on {promised_on} instead: {why or 'no reason given'}."
            await self._tell_sales(run, "order_delayed", words)


def is_later(part: Part, shipment: Shipment) -> bool:
    """Whether the warehouse promises a later day than before."""
    if shipment.promised_on is None or shipment.promised_on == part.promised_on:
        return False
    return part.promised_on is None or shipment.promised_on > part.promised_on
