"""A cancel after the pivot: what has not left stays where it is, and what has left comes back.

A warehouse that has not dispatched a part keeps it, and its goods are free again. What is on its way can
only be returned: the returns desk expects it then, apart from what the customer returned before. The order ends
as cancelled.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from msgspec.structs import replace

from process_apis.order_to_fulfillment.documents import reserving_step, shipping_step
from process_apis.order_to_fulfillment.parts import given_up, without
from process_apis.order_to_fulfillment.record import Fresh, OrderRecord, Part
from process_apis.order_to_fulfillment.steps.systems import OrderRun, Systems
from process_apis.returns.v1.model import NewReturn, NewReturnLine
from system_apis.canonical.refusals import AlreadyShipped
from system_apis.erp.v1.contract import ErpV1
from system_apis.erp.v1.model import ForAccount, ReservationPart
from system_apis.logistics.v1.contract import LogisticsV1
from system_apis.logistics.v1.model import ForAccount as ShipmentFor
from system_apis.notifications.v1.model import OrderCancelled
from system_apis.payments.v1.contract import PaymentsV1
from system_apis.payments.v1.model import Void

CANCEL = "cancel"
"""The signal; its body is the reason."""
OF_PROCESS: Final = "order_cancelled"
"""Why the process itself has goods returned."""
MOST_RETURNS = 200
"""More returns than this an order does not have."""


class Cancelling(Systems):
    """What is left to be done when an order is not wanted any more."""

    async def _stopped(self, run: OrderRun, order: OrderRecord, wish: bytes) -> OrderRecord:
        """The order with everything cancelled that has not left."""
        reason = wish.decode() or "The customer cancelled it."
        if order.missing:  # goods for it may be set aside already, though the answer was lost
            begun = run.key_of(ErpV1.reserve_stock, reserving_step(order.turns + 1))
            await self._erp.release_reservation(begun, ForAccount(account_id=order.account_id))
        for part in order.parts:
            if not part.gone and part.status != "cancelled":
                order = await self._held_back(run, order, part)
        return replace(given_up(order), giving_up=reason, ending="cancelled")

    async def _held_back(self, run: OrderRun, order: OrderRecord, part: Part) -> OrderRecord:
        whose = ShipmentFor(account_id=order.account_id)
        reference = run.key_of(LogisticsV1.release_shipment, shipping_step(part.warehouse, part.turn))
        with run.at(f"hold_back:{part.number}"):
            try:
                await self._logistics.cancel_shipment(reference, whose)
            except AlreadyShipped:
                return order
            held = run.key_of(ErpV1.reserve_stock, reserving_step(part.turn))
            goods = ReservationPart(account_id=order.account_id, warehouse=part.warehouse)
            await self._erp.release_part(held, goods)
        stopped = without(order, part)
        return replace(stopped, fresh=(*stopped.fresh, Fresh("cancelled", part.number)))

    async def settle_rest(self, run: OrderRun) -> OrderRecord:
        """Nothing is owed for what is not sent, and what a cancelled order had sent comes back."""
        order = replace(run.state, fresh=())
        closed = await self._erp.close_sales_order(order.sales_order_id or "", ForAccount(account_id=order.account_id))
        run.say(f"{closed.sales_order_id} {closed.status}")
        gone = [part for part in order.parts if part.gone]
        if order.payment == "card" and order.payment_id and not gone:
            authorised = run.key_of(PaymentsV1.authorize, "authorise_payment")
            await self._payments.void(authorised, Void(account_id=order.account_id))
        if closed.status == "invoiced":
            order = replace(order, net=closed.net, tax=closed.tax, total=closed.total)
        if order.ending == "cancelled" and gone:
            order = await self._sent_back(run, order, gone)
        if order.ending == "cancelled":
            content = OrderCancelled(
                order_id=order.order_id, order_reference=order.reference, reason=order.giving_up[:2_000]
            )
            await self._letters.tell(run, order.account_id, content)
        else:
            await self._tell_sales(run, "order_cut_short", f"Order {order.reference}: {order.giving_up}")
        return order

    async def _sent_back(self, run: OrderRun, order: OrderRecord, gone: list[Part]) -> OrderRecord:
        sent = Counter[str]()
        for part in gone:
            for line in part.lines:
                sent[line.sku] += line.quantity
        if not sent - await self._back_already(order):
            run.note(run.step, "create_return", "nothing_to_do", "all that had left is back, or on its way")
            return order
        # The same wish however often it is asked: what of it is left, the returns desk knows when it looks.
        made = await self._returns.create_return(
            NewReturn(
                account_id=order.account_id,
                order_id=order.order_id,
                sales_order_id=order.sales_order_id or "",
                lines=tuple(NewReturnLine(sku=sku, quantity=quantity) for sku, quantity in sent.items()),
                reason=OF_PROCESS,
                note=order.giving_up[:2_000],
            )
        )
        run.say(f"{made.return_id} expects it back")
        return replace(order, return_ids=(made.return_id,))

    async def _back_already(self, order: OrderRecord) -> Counter[str]:
        """What the customer returned by itself, by product; what this asked for before a crash is not among it."""
        known = await self._erp.list_returns(
            account_id=order.account_id, sales_order_id=order.sales_order_id, limit=MOST_RETURNS
        )
        back = Counter[str]()
        for one in known.items:
            if one.status != "cancelled" and one.reason != OF_PROCESS:
                for line in one.lines:
                    back[line.sku] += line.quantity
        return back
