"""The embedded payment provider: a small real one on its own SQLite file.

Test cards, in the manner of a provider's sandbox:

==========================  ==========================================
``card_ok``                 authorises, unless the settings decline so much
``card_declined``           declined with reason ``card_declined``
``card_insufficient_funds`` declined with reason ``insufficient_funds``
anything else               declined with reason ``unknown_card``
==========================  ==========================================

Every write is one transaction, flushed to disk before it is answered. It depends on nothing but
its file; a file that can't be written raises ``sqlite3.OperationalError``.
"""

from __future__ import annotations

import sqlite3
from typing import Annotated, Literal

from msgspec import Meta, Struct

from governance.call import Clock
from governance.contract import Delivery
from governance.contract.problems import NotFound
from system_apis.canonical.changes import Changes
from system_apis.canonical.entities import Payment
from system_apis.canonical.refusals import (
    AmountExceeded,
    CurrencyMismatch,
    PaymentDeclined,
    ReferenceTaken,
    WrongState,
)
from system_apis.canonical.values import AccountId, Money, RecordId, Reference
from system_apis.embedded import RecordFiles, fingerprint
from system_apis.payments.connectors.embedded import changes, records
from system_apis.payments.connectors.embedded.deliveries import notice_of
from system_apis.payments.notices import PaymentNotice
from system_apis.payments.port import PaymentFilter, PaymentMovement, PaymentRequest

GOOD_CARDS = frozenset({"card_ok"})
DECLINES = {"card_declined": "card_declined", "card_insufficient_funds": "insufficient_funds"}
LEDGER_LIMIT = 2**31


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``decline_above_minor``: a larger amount is declined for insufficient funds, in minor units; none by default."""

    decline_above_minor: Annotated[int, Meta(ge=0)] | None = None


class LedgerEntry(Struct, frozen=True, kw_only=True):
    """What a payment comes to, for checks over several systems; amounts in minor units."""

    reference: Reference
    order_reference: Reference
    account_id: AccountId
    status: str
    currency: str
    amount_minor: int
    captured_minor: int
    refunded_minor: int


class Connector:
    """A ``PaymentsPort`` on the record file ``payments``."""

    def __init__(self, settings: Settings, files: RecordFiles, clock: Clock) -> None:
        self._settings = settings
        self._file = files.open("payments", records.SCHEMA + changes.SCHEMA)
        self._clock = clock

    async def start(self) -> None:
        """Nothing to start: the file is open since this was made."""

    async def stop(self) -> None:
        """Nothing to stop: the record files are closed by who made them."""

    async def authorize(self, request: PaymentRequest, reference: Reference) -> Payment:
        """Set the amount aside on the card, once per reference."""
        digest = fingerprint(request)
        now_us = self._now_us()

        def transaction(connection: sqlite3.Connection) -> Payment:
            records.refuse_barred(connection, reference)
            row = records.by_reference(connection, reference)
            if row is not None:
                records.refuse_other_content(row, digest)
                return records.payment_of(row)
            self._refuse_bad_card(request)
            amount = request.amount
            connection.execute(
                "INSERT INTO payment (reference, order_reference, account_id, currency, amount_minor, fingerprint,"
                " created_us) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (reference, request.order_reference, request.account_id, amount.currency, amount.amount_minor,
                 digest, now_us),
            )  # fmt: skip
            return _present(records.by_reference(connection, reference))

        return await self._file.write(transaction)

    async def capture(
        self, payment_id: RecordId, account_id: AccountId, amount: Money, reference: Reference
    ) -> Payment:
        """Take ``amount`` of what is authorised, once per reference."""
        return await self._move("capture", payment_id, account_id, amount, reference)

    async def refund(self, payment_id: RecordId, account_id: AccountId, amount: Money, reference: Reference) -> Payment:
        """Give back ``amount`` of what is captured, once per reference."""
        return await self._move("refund", payment_id, account_id, amount, reference)

    async def void(self, reference: Reference, account_id: AccountId) -> Payment | None:
        """Undo the authorisation of ``reference`` and bar the reference."""
        now_us = self._now_us()

        def transaction(connection: sqlite3.Connection) -> Payment | None:
            row = records.by_reference(connection, reference)
            if row is None:
                records.bar(connection, reference, now_us)
                return None
            payment = records.payment_of(row)
            if payment.account_id != account_id:
                raise NotFound
            if payment.status not in ("authorized", "voided"):
                raise WrongState(record_id=payment.payment_id, state=payment.status, needs="authorized")
            connection.execute("UPDATE payment SET voided = 1 WHERE reference = ?", (reference,))
            records.bar(connection, reference, now_us)
            return _present(records.by_reference(connection, reference))

        return await self._file.write(transaction)

    async def get_payment(self, payment_id: RecordId) -> Payment:
        """The payment of this number."""
        seq = records.sequence(payment_id)
        return _present(await self._file.read(lambda connection: records.by_seq(connection, seq)))

    async def list_payments(self, which: PaymentFilter, after: int, limit: int) -> tuple[tuple[int, Payment], ...]:
        """Matching payments above the key ``after``."""
        rows = await self._file.read(lambda connection: records.matching(connection, which, after, limit))
        return tuple((row["seq"], records.payment_of(row)) for row in rows)

    async def find_payment_by_reference(self, reference: Reference) -> Payment | None:
        """The payment authorised under ``reference``."""
        row = await self._file.read(lambda connection: records.by_reference(connection, reference))
        return None if row is None else records.payment_of(row)

    async def find_movement_by_reference(self, reference: Reference) -> PaymentMovement | None:
        """The capture or refund made under ``reference``."""
        return await self._file.read(lambda connection: records.movement_by_reference(connection, reference))

    async def read_delivery(self, delivery: Delivery) -> PaymentNotice | None:
        """What a webhook of such a provider says."""
        return notice_of(delivery)

    async def list_changes(self, after: int, limit: int) -> Changes:
        """Changes after a position."""
        return await self._file.read(lambda connection: changes.read(connection, after, limit))

    async def ledger(self) -> tuple[LedgerEntry, ...]:
        """Every payment and what it comes to, oldest first."""
        everything = PaymentFilter()
        rows = await self._file.read(lambda connection: records.matching(connection, everything, 0, LEDGER_LIMIT))
        return tuple(_entry(records.payment_of(row)) for row in rows)

    async def _move(
        self,
        kind: Literal["capture", "refund"],
        payment_id: RecordId,
        account_id: AccountId,
        amount: Money,
        reference: Reference,
    ) -> Payment:
        seq = records.sequence(payment_id)
        wanted = PaymentMovement(reference=reference, payment_id=payment_id, kind=kind, amount=amount)
        now_us = self._now_us()

        def transaction(connection: sqlite3.Connection) -> Payment:
            payment = _present(records.by_seq(connection, seq))
            if payment.account_id != account_id:
                raise NotFound
            made = records.movement_by_reference(connection, reference)
            if made is not None:
                if made != wanted:
                    raise ReferenceTaken(reference=reference, record_id=made.payment_id)
                return payment
            _refuse_movement(payment, kind, amount)
            connection.execute(
                "INSERT INTO movement VALUES (?, ?, ?, ?, ?)", (reference, seq, kind, amount.amount_minor, now_us)
            )
            column = "captured_minor" if kind == "capture" else "refunded_minor"
            connection.execute(f"UPDATE payment SET {column} = {column} + ? WHERE seq = ?", (amount.amount_minor, seq))
            return _present(records.by_seq(connection, seq))

        return await self._file.write(transaction)

    def _refuse_bad_card(self, request: PaymentRequest) -> None:
        if request.card_token not in GOOD_CARDS:
            raise PaymentDeclined(reason=DECLINES.get(request.card_token, "unknown_card"))
        most = self._settings.decline_above_minor
        if most is not None and request.amount.amount_minor > most:
            raise PaymentDeclined(reason="insufficient_funds")

    def _now_us(self) -> int:
        return records.microseconds(self._clock.now())


def _present(row: sqlite3.Row | None) -> Payment:
    if row is None:
        raise NotFound
    return records.payment_of(row)


def _refuse_movement(payment: Payment, kind: Literal["capture", "refund"], amount: Money) -> None:
    # An order's later part is paid though an earlier one came back: only a void ends what is authorised.
    refused = ("voided",) if kind == "capture" else ("authorized", "voided", "refunded")
    if payment.status in refused:
        needs = "authorized" if kind == "capture" else "captured"
        raise WrongState(record_id=payment.payment_id, state=payment.status, needs=needs)
    if amount.currency != payment.amount.currency:
        raise CurrencyMismatch(expected=payment.amount.currency, given=amount.currency)
    remaining = payment.amount - payment.captured if kind == "capture" else payment.captured - payment.refunded
    if amount.amount_minor > remaining.amount_minor:
        raise AmountExceeded(remaining=remaining, requested=amount)


def _entry(payment: Payment) -> LedgerEntry:
    return LedgerEntry(
        reference=payment.reference,
        order_reference=payment.order_reference,
        account_id=payment.account_id,
        status=payment.status,
        currency=payment.amount.currency,
        amount_minor=payment.amount.amount_minor,
        captured_minor=payment.captured.amount_minor,
        refunded_minor=payment.refunded.amount_minor,
    )
