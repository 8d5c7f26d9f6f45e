"""The steps of order to fulfillment, one method each, and their undo.

Each takes the run and returns the order with what it settled. All of them may run again after a
crash: what they write carries a key of the flow and the step, and an undo names that key.
"""

from __future__ import annotations

from msgspec.structs import replace

from governance.contract import NotFound
from process_apis.flow.recording import recorded
from process_apis.flow.run import Run
from process_apis.flow.table import NotYet
from process_apis.order_to_fulfillment.channels import channel_of
from process_apis.order_to_fulfillment.documents import (
    address_of,
    priced_line,
    shipment_from,
    shipping_step,
    sold_line,
    total_of,
)
from process_apis.order_to_fulfillment.record import OrderRecord, Sent, Taken
from system_apis.canonical.entities import Shipment
from system_apis.canonical.refusals import (
    AccountOnHold,
    CreditLimitExceeded,
    PaymentDeclined,
    UnknownAccount,
    WrongState,
)
from system_apis.commerce.v1.contract import CommerceV1
from system_apis.commerce.v1.model import StatusWriteBack
from system_apis.crm.v1.contract import CrmV1
from system_apis.crm.v1.model import NewActivity
from system_apis.erp.v1.contract import ErpV1
from system_apis.erp.v1.model import (
    Basket,
    BasketLine,
    ForAccount,
    InvoicePayment,
    NewInvoice,
    NewReservation,
    NewSalesOrder,
    StockLine,
)
from system_apis.logistics.v1.contract import LogisticsV1
from system_apis.logistics.v1.model import ForAccount as ShipmentFor
from system_apis.payments.v1.contract import PaymentsV1
from system_apis.payments.v1.model import Capture, NewPayment, Void

HOLD_STOCK_S = 14 * 86_400
"""An order that waits longer for its warehouse takes the stock again, if there is any."""
LEFT = frozenset({"dispatched", "delivered", "delayed"})

OrderRun = Run[OrderRecord]


class OrderSteps:
    """What is done for an order, over the systems of record."""

    def __init__(
        self, erp: ErpV1, crm: CrmV1, payments: PaymentsV1, logistics: LogisticsV1, commerce: CommerceV1
    ) -> None:
        self._erp = recorded(erp, ErpV1)
        self._crm = recorded(crm, CrmV1)
        self._payments = recorded(payments, PaymentsV1)
        self._logistics = recorded(logistics, LogisticsV1)
        self._commerce = recorded(commerce, CommerceV1)

    async def check_account(self, run: OrderRun) -> OrderRecord:
        """The account exists, is active, and says where to ship to."""
        order = run.state
        try:
            account = await self._crm.get_account(order.account_id)
        except NotFound:
            raise UnknownAccount(account_id=order.account_id) from None
        run.say(f"{account.name}, {account.status}")
        if account.status != "active":
            raise AccountOnHold(account_id=order.account_id, detail=f"The account is {account.status}.")
        return replace(order, ship_to=order.ship_to or account.shipping_address)

    async def check_channel_order(self, run: OrderRun) -> OrderRecord:
        """The channel's own order is there, so that the channel can be told."""
        order = run.state
        found = await self._commerce.get_channel_order(order.channel_order_id or "")
        run.say(f"{found.channel_order_id} of {found.channel}")
        if found.account_id != order.account_id:
            raise NotFound()
        return replace(order, channel_waits=True)

    async def check_terms(self, run: OrderRun) -> OrderRecord:
        """Finance deals with the account, and says how it pays."""
        order = run.state
        terms = await self._erp.get_terms(order.account_id)
        run.say(f"{terms.payment_terms}, {terms.currency}")
        if terms.on_hold:
            raise AccountOnHold(account_id=order.account_id, detail="Finance holds the account.")
        if channel_of(order.channel).payment == "prepaid":
            return replace(order, payment="prepaid", currency=terms.currency)
        prepaid = terms.payment_terms == "prepaid_card"
        payment = order.wanted_payment or ("card" if prepaid else "on_account")
        if prepaid and payment != "card":
            raise PaymentDeclined(reason="card_required", detail="The account's terms are payment by card.")
        if payment == "card" and order.card_token is None:
            raise PaymentDeclined(reason="card_required", detail="The order has no card to pay with.")
        return replace(order, payment=payment, currency=terms.currency)

    async def price(self, run: OrderRun) -> OrderRecord:
        """Every line has its price, and the order its sums."""
        order = run.state
        lines = tuple(
            BasketLine(
                sku=line.sku,
                quantity=line.quantity,
                agreed_price=line.agreed_price,
                agreed_discount_bp=line.agreed_discount_bp,
            )
            for line in order.lines
        )
        destination = channel_of(order.channel).tax == "destination"
        basket = Basket(lines=lines, consumer_in=address_of(order).country if destination else None)
        priced = await self._erp.price_basket(order.account_id, basket)
        run.say(f"{priced.net} net, {priced.total} with tax")
        return replace(
            order,
            lines=tuple(priced_line(line, found) for line, found in zip(order.lines, priced.lines, strict=True)),
            currency=priced.currency,
            net=priced.net,
            tax=priced.tax,
            total=priced.total,
        )

    async def check_credit(self, run: OrderRun) -> OrderRecord:
        """The account may owe this much more; the ERP holds to it again when it posts."""
        order, total = run.state, total_of(run.state)
        credit = await self._erp.get_credit_status(order.account_id)
        if credit.on_hold:
            raise AccountOnHold(account_id=order.account_id, detail="Finance holds the account.")
        if credit.headroom is not None:
            run.say(f"{credit.headroom} left")
            if credit.headroom.amount_minor < total.amount_minor:
                raise CreditLimitExceeded(account_id=order.account_id, headroom=credit.headroom, required=total)
        return order

    async def reserve_stock(self, run: OrderRun) -> OrderRecord:
        """The goods are set aside, from one warehouse or split over several."""
        order = run.state
        reservation = await self._erp.reserve_stock(
            NewReservation(
                account_id=order.account_id,
                lines=tuple(StockLine(sku=line.sku, quantity=line.quantity) for line in order.lines),
                ship_country=address_of(order).country,
                expires_in_s=HOLD_STOCK_S,
            )
        )
        taken = tuple(Taken(one.sku, one.warehouse, one.quantity) for one in reservation.allocations)
        run.say(", ".join(f"{one.quantity} x {one.sku} from {one.warehouse}" for one in taken))
        return replace(order, taken=taken)

    async def release_stock(self, run: OrderRun) -> bool:
        """The goods are free again."""
        reference = run.key_of(ErpV1.reserve_stock, "reserve_stock")
        released = await self._erp.release_reservation(reference, ForAccount(account_id=run.state.account_id))
        return released.outcome == "released"

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
        return replace(order, payment_id=payment.payment_id, card_token=None)

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

    async def ship(self, run: OrderRun) -> OrderRecord:
        """Each warehouse has its part of the order to pick and send."""
        order = run.state
        sent: list[Sent] = []
        for warehouse in order.warehouses:
            with run.at(shipping_step(warehouse)):
                shipment = await self._logistics.release_shipment(shipment_from(order, warehouse))
                run.say(f"{shipment.shipment_id} from {warehouse}")
            sent.append(Sent(warehouse, shipment.shipment_id))
        return replace(order, sent=tuple(sent))

    async def recall(self, run: OrderRun) -> bool:
        """No warehouse sends anything."""
        recalled = False
        for warehouse in reversed(run.state.warehouses):
            reference = run.key_of(LogisticsV1.release_shipment, shipping_step(warehouse))
            with run.at(f"undo:ship:{warehouse}"):
                result = await self._logistics.cancel_shipment(reference, ShipmentFor(account_id=run.state.account_id))
            recalled = recalled or result.outcome == "cancelled"
        return recalled

    async def await_dispatch(self, run: OrderRun) -> OrderRecord:
        """Every shipment has left its warehouse."""
        for sent in run.state.sent:
            shipment: Shipment = await self._logistics.get_shipment(sent.shipment_id)
            run.say(f"{shipment.shipment_id} {shipment.status} {shipment.carrier} {shipment.tracking_number}".rstrip())
            if shipment.status == "cancelled":
                raise WrongState(
                    record_id=sent.shipment_id, state="cancelled", needs="dispatched",
                    detail=f"The warehouse cancelled shipment {sent.shipment_id}.",
                )  # fmt: skip
            if shipment.status not in LEFT:
                raise NotYet
        return run.state

    async def issue_goods(self, run: OrderRun) -> OrderRecord:
        """The goods have left the books too."""
        reference = run.key_of(ErpV1.reserve_stock, "reserve_stock")
        await self._erp.consume_reservation(reference, ForAccount(account_id=run.state.account_id))
        return run.state

    async def invoice(self, run: OrderRun) -> OrderRecord:
        """The customer owes the money."""
        order = run.state
        invoice = await self._erp.post_invoice(
            NewInvoice(account_id=order.account_id, sales_order_id=order.sales_order_id or "")
        )
        run.say(f"{invoice.invoice_id}, {invoice.total}")
        return replace(order, invoice_id=invoice.invoice_id, invoice_total=invoice.total)

    async def capture(self, run: OrderRun) -> OrderRecord:
        """The money is taken from the card, where the channel has not taken it before, and the invoice paid by it."""
        order = run.state
        amount = order.invoice_total or total_of(order)
        if order.payment == "card":
            await self._payments.capture(order.payment_id or "", Capture(account_id=order.account_id, amount=amount))
            run.say(str(amount))
        await self._erp.pay_invoice(order.invoice_id or "", InvoicePayment(account_id=order.account_id, amount=amount))
        run.say(f"{order.invoice_id} paid")
        return order

    async def write_back(self, run: OrderRun) -> OrderRecord:
        """The channel and the sales person know that the order is done."""
        await self._tell_channel(run, "completed")
        await self._tell_sales(run, "order_completed", f"Order {run.state.reference} completed, {total_of(run.state)}.")
        return run.state

    async def write_back_end(self, run: OrderRun) -> OrderRecord:
        """The channel knows that there will be no goods."""
        await self._tell_channel(run, run.state.status)
        return run.state

    async def _tell_channel(self, run: OrderRun, status: str) -> None:
        order = run.state
        if order.channel_order_id is None:
            return
        word = "completed" if status == "completed" else "cancelled" if status == "cancelled" else "rejected"
        await self._commerce.write_back_status(
            order.channel_order_id,
            StatusWriteBack(account_id=order.account_id, status=word, order_id=order.order_id),
        )
        run.say(f"{order.channel_order_id} {word}")

    async def _tell_sales(self, run: OrderRun, kind: str, summary: str) -> None:
        order = run.state
        await self._crm.create_activity(
            NewActivity(account_id=order.account_id, kind=kind, summary=summary, subject_id=order.order_id)
        )
