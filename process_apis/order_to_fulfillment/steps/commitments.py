"""What binds an order before it is released: the money on the card, and the order in the ERP."""

from __future__ import annotations

from msgspec.structs import replace

from process_apis.order_to_fulfillment.documents import address_of, sold_line, total_of
from process_apis.order_to_fulfillment.record import OrderRecord
from process_apis.order_to_fulfillment.steps.systems import OrderRun, Systems
from system_apis.erp.v1.contract import ErpV1
from system_apis.erp.v1.model import ForAccount, NewSalesOrder
from system_apis.payments.v1.contract import PaymentsV1
from system_apis.payments.v1.model import NewPayment, Void


class Commitments(Systems):
    """What is promised for the order, and taken back when it does not come about."""

    async def authorise_payment(self, run: OrderRun) -> OrderRecord:
        """The amount is set aside on the customer's card."""
        order, total = run.state, total_of(run.state)
        payment = await self._payments.authorize(
            NewPayment(
                account_id=order.account_id,
                order_reference=order.order_id,
                amount=total,
                card_token=order.card_token or "",
            )
        )
        run.say(str(payment.amount))
        return replace(order, payment_id=payment.payment_id)

    async def void_payment(self, run: OrderRun) -> bool:
        """The amount is the customer's again."""
        reference = run.key_of(PaymentsV1.authorize, "authorise_payment")
        voided = await self._payments.void(reference, Void(account_id=run.state.account_id))
        return voided.outcome == "voided"

    async def post_order(self, run: OrderRun) -> OrderRecord:
        """The order is in the ERP, against the account's credit."""
        order = run.state
        posted = await self._erp.post_sales_order(
            NewSalesOrder(
                account_id=order.account_id,
                customer_reference=order.reference,
                currency=order.currency or "",
                lines=tuple(map(sold_line, order.lines)),
                ship_to=address_of(order),
                prepaid=order.payment != "on_account",
            )
        )
        run.say(f"{posted.sales_order_id}, {posted.total}")
        return replace(order, sales_order_id=posted.sales_order_id, net=posted.net, tax=posted.tax, total=posted.total)

    async def cancel_order(self, run: OrderRun) -> bool:
        """The ERP's order is cancelled."""
        reference = run.key_of(ErpV1.post_sales_order, "post_order")
        cancelled = await self._erp.cancel_sales_order(reference, ForAccount(account_id=run.state.account_id))
        return cancelled.outcome == "cancelled"
