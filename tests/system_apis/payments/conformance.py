"""What every payments connector must do. Subclass it where the connector's tests are, with a ``port`` fixture.

The provider behind the port must know the cards of ``Cards``; a vendor's sandbox names its own.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

import pytest

from governance.contract.problems import NotFound
from system_apis.canonical.refusals import (
    AmountExceeded,
    CurrencyMismatch,
    PaymentDeclined,
    ReferenceTaken,
    Tombstoned,
    WrongState,
)
from system_apis.canonical.values import Money
from system_apis.payments.port import PaymentFilter, PaymentRequest, PaymentsPort

EUR_50 = Money(5_000, "EUR")


def request(
    card_token: str = "card_ok", *, amount: Money = EUR_50, account_id: str = "ACME", order: str = "O-1"
) -> PaymentRequest:
    """An authorisation of 50 euro for order O-1 of ACME, or another one."""
    return PaymentRequest(account_id=account_id, order_reference=order, amount=amount, card_token=card_token)


class PaymentsPortConformance:
    """The promises of ``PaymentsPort``."""

    declined: ClassVar[dict[str, str]] = {
        "card_declined": "card_declined",
        "card_insufficient_funds": "insufficient_funds",
    }

    def test_authorizes_once_for_each_reference(self, port: PaymentsPort) -> None:
        async def scenario() -> None:
            first = await port.authorize(request(), "r-1")
            assert (first.status, first.amount, first.captured.amount_minor) == ("authorized", EUR_50, 0)
            assert (first.reference, first.order_reference, first.account_id) == ("r-1", "O-1", "ACME")
            assert await port.authorize(request(), "r-1") == first
            assert await port.find_payment_by_reference("r-1") == first
            assert await port.get_payment(first.payment_id) == first
            assert await port.find_payment_by_reference("r-2") is None

        asyncio.run(scenario())

    def test_many_at_once_under_one_reference_make_one_payment(self, port: PaymentsPort) -> None:
        async def scenario() -> None:
            made = await asyncio.gather(*(port.authorize(request(), "r-1") for _ in range(25)))
            assert len({payment.payment_id for payment in made}) == 1
            assert len(await port.list_payments(PaymentFilter(), 0, 100)) == 1

        asyncio.run(scenario())

    @pytest.mark.parametrize(
        "other", [request(amount=Money(5_001, "EUR")), request(account_id="OTHER"), request(order="O-2")]
    )
    def test_a_reference_stands_for_one_content(self, port: PaymentsPort, other: PaymentRequest) -> None:
        async def scenario() -> None:
            first = await port.authorize(request(), "r-1")
            with pytest.raises(ReferenceTaken) as caught:
                await port.authorize(other, "r-1")
            assert caught.value.record_id == first.payment_id
            assert await port.get_payment(first.payment_id) == first

        asyncio.run(scenario())

    def test_a_declined_card_leaves_nothing(self, port: PaymentsPort) -> None:
        async def scenario() -> None:
            for card_token, reason in self.declined.items():
                with pytest.raises(PaymentDeclined) as caught:
                    await port.authorize(request(card_token), "r-1")
                assert caught.value.reason == reason
            assert await port.find_payment_by_reference("r-1") is None

        asyncio.run(scenario())

    def test_captures_up_to_what_is_authorized(self, port: PaymentsPort) -> None:
        async def scenario() -> None:
            payment_id = (await port.authorize(request(), "r-1")).payment_id
            part = await port.capture(payment_id, "ACME", Money(3_000, "EUR"), "c-1")
            assert (part.status, part.captured) == ("captured", Money(3_000, "EUR"))
            with pytest.raises(AmountExceeded) as caught:
                await port.capture(payment_id, "ACME", Money(2_001, "EUR"), "c-2")
            assert caught.value.remaining == Money(2_000, "EUR")
            assert (await port.capture(payment_id, "ACME", Money(2_000, "EUR"), "c-2")).captured == EUR_50

        asyncio.run(scenario())

    def test_a_repeated_capture_takes_nothing_more(self, port: PaymentsPort) -> None:
        async def scenario() -> None:
            payment_id = (await port.authorize(request(), "r-1")).payment_id
            await asyncio.gather(*(port.capture(payment_id, "ACME", Money(1_000, "EUR"), "c-1") for _ in range(10)))
            assert (await port.get_payment(payment_id)).captured == Money(1_000, "EUR")
            with pytest.raises(ReferenceTaken):
                await port.capture(payment_id, "ACME", Money(2_000, "EUR"), "c-1")
            with pytest.raises(ReferenceTaken):
                await port.refund(payment_id, "ACME", Money(1_000, "EUR"), "c-1")
            movement = await port.find_movement_by_reference("c-1")
            assert movement is not None
            assert (movement.kind, movement.payment_id, movement.amount) == ("capture", payment_id, Money(1_000, "EUR"))
            assert await port.find_movement_by_reference("c-2") is None

        asyncio.run(scenario())

    def test_refunds_up_to_what_is_captured(self, port: PaymentsPort) -> None:
        async def scenario() -> None:
            payment_id = (await port.authorize(request(), "r-1")).payment_id
            with pytest.raises(WrongState):
                await port.refund(payment_id, "ACME", EUR_50, "f-1")
            await port.capture(payment_id, "ACME", Money(4_000, "EUR"), "c-1")
            assert (await port.refund(payment_id, "ACME", Money(1_500, "EUR"), "f-1")).status == "partially_refunded"
            with pytest.raises(AmountExceeded):
                await port.refund(payment_id, "ACME", Money(2_501, "EUR"), "f-2")
            assert (await port.refund(payment_id, "ACME", Money(2_500, "EUR"), "f-2")).status == "refunded"

        asyncio.run(scenario())

    def test_a_later_part_is_captured_though_an_earlier_one_was_given_back(self, port: PaymentsPort) -> None:
        async def scenario() -> None:
            payment_id = (await port.authorize(request(), "r-1")).payment_id
            await port.capture(payment_id, "ACME", Money(2_000, "EUR"), "c-1")
            await port.refund(payment_id, "ACME", Money(500, "EUR"), "f-1")
            await port.capture(payment_id, "ACME", Money(1_000, "EUR"), "c-2")
            assert (await port.refund(payment_id, "ACME", Money(2_500, "EUR"), "f-2")).status == "refunded"
            with pytest.raises(AmountExceeded):
                await port.capture(payment_id, "ACME", Money(2_001, "EUR"), "c-3")
            last = await port.capture(payment_id, "ACME", Money(2_000, "EUR"), "c-3")
            assert (last.captured, last.refunded, last.status) == (EUR_50, Money(3_000, "EUR"), "partially_refunded")

        asyncio.run(scenario())

    def test_what_went_back_is_not_authorized_again(self, port: PaymentsPort) -> None:
        """The rule: all captures together never exceed what is authorised, whatever was refunded; a void ends it."""

        async def scenario() -> None:
            payment_id = (await port.authorize(request(), "r-1")).payment_id
            await port.capture(payment_id, "ACME", EUR_50, "c-1")
            assert (await port.refund(payment_id, "ACME", EUR_50, "f-1")).status == "refunded"
            with pytest.raises(AmountExceeded) as caught:
                await port.capture(payment_id, "ACME", Money(1, "EUR"), "c-2")
            assert caught.value.remaining == Money(0, "EUR")
            voided = (await port.authorize(request(), "r-2")).payment_id
            await port.void("r-2", "ACME")
            with pytest.raises(WrongState):
                await port.capture(voided, "ACME", Money(1, "EUR"), "c-3")

        asyncio.run(scenario())

    def test_another_currency_is_refused(self, port: PaymentsPort) -> None:
        async def scenario() -> None:
            payment_id = (await port.authorize(request(), "r-1")).payment_id
            with pytest.raises(CurrencyMismatch) as caught:
                await port.capture(payment_id, "ACME", Money(5_000, "USD"), "c-1")
            assert (caught.value.expected, caught.value.given) == ("EUR", "USD")

        asyncio.run(scenario())

    def test_void_undoes_an_authorization_once_and_for_all(self, port: PaymentsPort) -> None:
        async def scenario() -> None:
            payment_id = (await port.authorize(request(), "r-1")).payment_id
            for _ in range(2):
                voided = await port.void("r-1", "ACME")
                assert voided is not None
                assert (voided.payment_id, voided.status) == (payment_id, "voided")
            with pytest.raises(Tombstoned):
                await port.authorize(request(), "r-1")
            with pytest.raises(WrongState):
                await port.capture(payment_id, "ACME", EUR_50, "c-1")

        asyncio.run(scenario())

    def test_void_of_nothing_bars_the_late_original(self, port: PaymentsPort) -> None:
        async def scenario() -> None:
            assert await port.void("r-1", "ACME") is None
            assert await port.void("r-1", "ACME") is None
            with pytest.raises(Tombstoned):
                await port.authorize(request(), "r-1")
            assert await port.find_payment_by_reference("r-1") is None

        asyncio.run(scenario())

    def test_void_refuses_what_is_captured_and_what_is_not_yours(self, port: PaymentsPort) -> None:
        async def scenario() -> None:
            payment_id = (await port.authorize(request(), "r-1")).payment_id
            with pytest.raises(NotFound):
                await port.void("r-1", "OTHER")
            with pytest.raises(NotFound):
                await port.capture(payment_id, "OTHER", EUR_50, "c-1")
            await port.capture(payment_id, "ACME", EUR_50, "c-1")
            with pytest.raises(WrongState) as caught:
                await port.void("r-1", "ACME")
            assert caught.value.state == "captured"

        asyncio.run(scenario())

    @pytest.mark.parametrize("payment_id", ["PAY-00000009", "nothing", "PAY-9999999999999999999999", "PAY-1"])
    def test_what_is_not_there_is_not_found(self, port: PaymentsPort, payment_id: str) -> None:
        async def scenario() -> None:
            with pytest.raises(NotFound):
                await port.get_payment(payment_id)
            with pytest.raises(NotFound):
                await port.capture(payment_id, "ACME", EUR_50, "c-1")

        asyncio.run(scenario())

    def test_lists_by_account_reference_and_order_in_pages(self, port: PaymentsPort) -> None:
        async def scenario() -> None:
            made = [
                await port.authorize(request(account_id=f"A-{n % 2}", order=f"O-{n % 3}"), f"r-{n}") for n in range(6)
            ]
            first = await port.list_payments(PaymentFilter(), 0, 4)
            rest = await port.list_payments(PaymentFilter(), first[-1][0], 4)
            assert [payment for _, payment in first + rest] == made
            for which, expected in (
                (PaymentFilter(account_ids=("A-1",)), made[1::2]),
                (PaymentFilter(account_ids=("A-0", "A-1")), made),
                (PaymentFilter(account_ids=()), []),
                (PaymentFilter(order_reference="O-2"), made[2::3]),
                (PaymentFilter(reference="r-4"), made[4:5]),
                (PaymentFilter(account_ids=("A-0",), order_reference="O-0"), made[:1]),
            ):
                assert [payment for _, payment in await port.list_payments(which, 0, 10)] == expected

        asyncio.run(scenario())
