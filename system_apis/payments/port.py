"""What the payments API needs of a payment provider.

Every connector guarantees: a write is done once per reference (same content again gives the
stored record, other content is ``ReferenceTaken``); a void is by the authorisation's reference,
tolerates that nothing is there and leaves a tombstone, so that a late authorisation is
``Tombstoned``; captured never exceeds authorised, refunded never exceeds captured. A change of a
payment takes the account it must belong to: another one is ``NotFound``.

When the provider can't be reached the connector raises what its egress raises; whether the
write happened is then found out by the lookup by reference.
"""

from __future__ import annotations

from typing import Literal, Protocol

from msgspec import Struct

from governance.contract import Delivery
from system_apis.canonical.changes import Changes
from system_apis.canonical.entities import Payment
from system_apis.canonical.values import AccountId, Money, RecordId, Reference
from system_apis.payments.notices import PaymentNotice


class PaymentRequest(Struct, frozen=True, kw_only=True):
    """What is to be authorised. ``card_token`` is the provider's word for a card, never a card number."""

    account_id: AccountId
    order_reference: Reference
    amount: Money
    card_token: str


class PaymentMovement(Struct, frozen=True, kw_only=True):
    """A capture or refund as it was recorded."""

    reference: Reference
    payment_id: RecordId
    kind: Literal["capture", "refund"]
    amount: Money


class PaymentFilter(Struct, frozen=True, kw_only=True):
    """Which payments are asked for; None: any."""

    account_ids: tuple[AccountId, ...] | None = None
    reference: Reference | None = None
    order_reference: Reference | None = None


class PaymentsPort(Protocol):
    """A payment provider in canonical terms."""

    async def authorize(self, request: PaymentRequest, reference: Reference) -> Payment:
        """Set the amount aside on the card.

        Raises:
            PaymentDeclined: the provider said no; nothing was recorded.
            Tombstoned: the reference was voided before.
            ReferenceTaken: the reference stands for other content.
        """
        ...

    async def capture(
        self, payment_id: RecordId, account_id: AccountId, amount: Money, reference: Reference
    ) -> Payment:
        """Take ``amount`` of what is authorised and not yet captured.

        Raises:
            NotFound, WrongState, AmountExceeded, CurrencyMismatch, ReferenceTaken
        """
        ...

    async def refund(self, payment_id: RecordId, account_id: AccountId, amount: Money, reference: Reference) -> Payment:
        """Give back ``amount`` of what is captured and not yet refunded.

        Raises:
            NotFound, WrongState, AmountExceeded, CurrencyMismatch, ReferenceTaken
        """
        ...

    async def void(self, reference: Reference, account_id: AccountId) -> Payment | None:
        """Undo the authorisation of ``reference``; None: there was none, and there won't be one.

        Raises:
            NotFound: the payment of this reference belongs to another account.
            WrongState: it is captured already; give a refund.
        """
        ...

    async def get_payment(self, payment_id: RecordId) -> Payment:
        """The payment.

        Raises:
            NotFound
        """
        ...

    async def list_payments(self, which: PaymentFilter, after: int, limit: int) -> tuple[tuple[int, Payment], ...]:
        """Up to ``limit`` payments with their key, by rising key, keys above ``after``."""
        ...

    async def find_payment_by_reference(self, reference: Reference) -> Payment | None:
        """The payment authorised under ``reference``."""
        ...

    async def find_movement_by_reference(self, reference: Reference) -> PaymentMovement | None:
        """The capture or refund made under ``reference``."""
        ...

    async def read_delivery(self, delivery: Delivery) -> PaymentNotice | None:
        """What a webhook of the provider says, its signature having been judged; None: nothing that matters here.

        Raises:
            InvalidBody: it is not what the provider sends.
        """
        ...

    async def list_changes(self, after: int, limit: int) -> Changes:
        """Up to ``limit`` changes above ``after``, each written with the change itself: captures and refunds.

        A record that changed is among them before or as soon as its new state is read.
        """
        ...
