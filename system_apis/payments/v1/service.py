"""Payments v1 over a payment provider's port; guarantees and failures are the connector's."""

from __future__ import annotations

from msgspec.json import decode

from governance.call import current_call
from governance.contract import CursorCodec, Delivery, Page, Receipt
from governance.webhooks import Inbox, opened
from system_apis.canonical.changes import Changes
from system_apis.canonical.entities import Payment
from system_apis.canonical.values import AccountId, RecordId, Reference
from system_apis.payments.notices import PaymentNotice, PaymentNotices, ReceivedPaymentNotice
from system_apis.payments.port import PaymentFilter, PaymentRequest, PaymentsPort
from system_apis.payments.v1.contract import PaymentsV1
from system_apis.payments.v1.model import Capture, NewPayment, Refund, Void, VoidResult

LIST = "payments.v1.list_payments"


class Payments(PaymentsV1):
    """Every write is recorded at the provider under the idempotency key of its call."""

    def __init__(self, port: PaymentsPort, cursors: CursorCodec, inbox: Inbox | None = None) -> None:
        self._port = port
        self._cursors = cursors
        self._inbox = inbox

    async def authorize(self, payment: NewPayment) -> Payment:
        """Authorise an amount on a card."""
        request = PaymentRequest(
            account_id=payment.account_id,
            order_reference=payment.order_reference,
            amount=payment.amount,
            card_token=payment.card_token,
        )
        return await self._port.authorize(request, current_call().key)

    async def capture(self, payment_id: RecordId, capture: Capture) -> Payment:
        """Capture all or part of an authorised amount."""
        return await self._port.capture(payment_id, capture.account_id, capture.amount, current_call().key)

    async def refund(self, payment_id: RecordId, refund: Refund) -> Payment:
        """Give back all or part of a captured amount."""
        return await self._port.refund(payment_id, refund.account_id, refund.amount, current_call().key)

    async def void(self, reference: RecordId, void: Void) -> VoidResult:
        """Undo the authorisation made under a reference."""
        payment = await self._port.void(reference, void.account_id)
        return VoidResult(
            reference=reference,
            account_id=void.account_id,
            outcome="nothing_to_void" if payment is None else "voided",
            payment=payment,
        )

    async def get_payment(self, payment_id: RecordId) -> Payment:
        """A payment and what became of it."""
        return await self._port.get_payment(payment_id)

    async def list_payments(
        self,
        *,
        account_id: AccountId | None = None,
        reference: Reference | None = None,
        order_reference: Reference | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Payment]:
        """Payments, oldest first, by account, reference or order."""
        accounts = current_call().listed_accounts(account_id)
        filters = (accounts, reference, order_reference)
        after = self._cursors.decode(LIST, filters, cursor)
        which = PaymentFilter(account_ids=accounts, reference=reference, order_reference=order_reference)
        rows = await self._port.list_payments(which, int(after[0]) if after else 0, limit + 1)
        items = tuple(payment for _, payment in rows[:limit])
        more = self._cursors.encode(LIST, filters, (rows[limit - 1][0],)) if len(rows) > limit else None
        return Page(items=items, next_cursor=more)

    async def receive_event(self, delivery: Delivery) -> Receipt:
        """Keep the provider's word that a payment was captured or refunded, could not be, or is disputed."""
        return await opened(self._inbox).receive(delivery, await self._port.read_delivery(delivery))

    async def list_notices(self, *, after: int = 0, limit: int = 50) -> PaymentNotices:
        """What the provider reported by webhook, after a position."""
        received = await opened(self._inbox).after("payments", after, limit)
        items = tuple(
            ReceivedPaymentNotice(
                position=one.position, event_id=one.event_id, notice=decode(one.notice, type=PaymentNotice)
            )
            for one in received
        )
        return PaymentNotices(items=items, position=items[-1].position if items else after)

    async def list_changes(self, *, after: int = 0, limit: int = 100) -> Changes:
        """What changed after a position."""
        return await self._port.list_changes(after, limit)
