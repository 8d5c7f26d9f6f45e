"""What is asked before anything is done for an order: channel, account, terms, price, credit. All of it only reads."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from governance.contract import NotFound
from process_apis.order_to_fulfillment.amendments import anew
from process_apis.order_to_fulfillment.channels import channel_of
from process_apis.order_to_fulfillment.documents import address_of, priced_line, total_of
from process_apis.order_to_fulfillment.record import Approval, OrderRecord
from process_apis.order_to_fulfillment.steps.systems import OrderRun, Systems
from system_apis.canonical.refusals import AccountOnHold, CreditLimitExceeded, PaymentDeclined, UnknownAccount
from system_apis.canonical.values import Money
from system_apis.erp.v1.model import Basket, BasketLine


class Checks(Systems):
    """The order can be taken, at this price."""

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
        if order.begun != run.revision:
            order = replace(anew(order), payment=order.payment, begun=run.revision)
        elif order.total is not None:  # it waits, for goods or for a yes, at the price that it has
            return order
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
            approval=self._approval(run, priced.total),
            lines=tuple(priced_line(line, found) for line, found in zip(order.lines, priced.lines, strict=True)),
            currency=priced.currency,
            net=priced.net,
            tax=priced.tax,
            total=priced.total,
        )

    def _approval(self, run: OrderRun, total: Money) -> Approval | None:
        if not self._settings.needs_approval(total):
            return None
        now, settings = run.clock.now(), self._settings
        return Approval(
            due_at=now + timedelta(seconds=settings.approval_due_s),
            until=now + timedelta(seconds=settings.approval_most_s),
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
