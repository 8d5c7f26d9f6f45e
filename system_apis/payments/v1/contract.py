"""Payments, version 1: authorise, capture, void and refund card payments."""

from __future__ import annotations

from typing import Protocol

from governance.contract import (
    Contract,
    Cursor,
    Delivery,
    Limit,
    Page,
    Receipt,
    action,
    by,
    create,
    inbound,
    read,
    search,
)
from system_apis.canonical.changes import NAMES_RECORDS as CHANGES_NAME_RECORDS
from system_apis.canonical.changes import ChangeLimit, ChangePosition, Changes
from system_apis.canonical.entities import Payment
from system_apis.canonical.notices import NAMES_RECORDS, SIGNED, Notices, Position
from system_apis.canonical.refusals import (
    AmountExceeded,
    CurrencyMismatch,
    PaymentDeclined,
    ReferenceTaken,
    Tombstoned,
    WrongState,
)
from system_apis.canonical.values import AccountId, RecordId, Reference
from system_apis.payments.notices import PaymentNotices
from system_apis.payments.v1.model import Capture, NewPayment, Refund, Void, VoidResult

MOVEMENT_REFUSALS = [AmountExceeded, CurrencyMismatch, WrongState, ReferenceTaken]


class PaymentsV1(Contract, Protocol, owner="Treasury systems"):
    """Card payments: an amount is authorised for an order, captured when goods left, voided or refunded when not."""

    @create(
        "/payments",
        scope="payments.payments:write",
        raises=[PaymentDeclined, ReferenceTaken, Tombstoned],
        visible=by("account_id"),
        location="/payments/{payment_id}",
    )
    async def authorize(self, payment: NewPayment) -> Payment:
        """Authorise an amount on a card.

        The idempotency key becomes the payment's unique reference at the provider.
        """
        ...

    @action(
        "/payments/{payment_id}/capture",
        scope="payments.payments:write",
        raises=MOVEMENT_REFUSALS,
        visible=by("account_id"),
    )
    async def capture(self, payment_id: RecordId, capture: Capture) -> Payment:
        """Capture all or part of an authorised amount.

        Several captures may follow each other until the authorised amount is used up.
        """
        ...

    @action(
        "/payments/{payment_id}/refund",
        scope="payments.payments:write",
        raises=MOVEMENT_REFUSALS,
        visible=by("account_id"),
    )
    async def refund(self, payment_id: RecordId, refund: Refund) -> Payment:
        """Give back all or part of a captured amount."""
        ...

    @action(
        "/payments/{reference}/void",
        scope="payments.payments:write",
        raises=[WrongState],
        visible=by("account_id"),
    )
    async def void(self, reference: RecordId, void: Void) -> VoidResult:
        """Undo the authorisation made under a reference.

        Safe when there is none: the reference is then barred, so that a late original is refused.
        Refused as a wrong state once captured, because only a refund undoes that.
        """
        ...

    @read("/payments/{payment_id}", scope="payments.payments:read", visible=by("account_id"))
    async def get_payment(self, payment_id: RecordId) -> Payment:
        """A payment and what became of it."""
        ...

    @search("/payments", scope="payments.payments:read", visible=by("account_id"))
    async def list_payments(
        self,
        *,
        account_id: AccountId | None = None,
        reference: Reference | None = None,
        order_reference: Reference | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Payment]:
        """Payments, oldest first, by account, reference or order."""
        ...

    @inbound("/events", scope="payments.events:receive", public_because=SIGNED)
    async def receive_event(self, delivery: Delivery) -> Receipt:
        """Take the provider's word that a payment was captured or refunded, could not be, or is disputed.

        Answered once it is kept. Deliver again until a 2xx comes: each event id is kept once, in any order.
        """
        ...

    @read("/notices", scope="payments.notices:read", public_because=NAMES_RECORDS)
    async def list_notices(self, *, after: Position = 0, limit: Notices = 50) -> PaymentNotices:
        """What the provider reported by webhook, in the order in which it was kept, after a position."""
        ...

    @read("/changes", scope="payments.changes:read", public_because=CHANGES_NAME_RECORDS)
    async def list_changes(self, *, after: ChangePosition = 0, limit: ChangeLimit = 100) -> Changes:
        """What changed after a position: captures and refunds."""
        ...
