"""Payments v1: the service names records by the key of the call and pages with signed cursors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from governance.call import Accounts, Call, ManualClock, Principal, enter, leave
from governance.contract import CursorCodec
from governance.contract.refusals import InvalidParameters
from system_apis.canonical.values import Money
from system_apis.embedded import RecordFiles
from system_apis.payments.connectors.embedded.connector import Connector, Settings
from system_apis.payments.v1.model import Capture, NewPayment, Refund, Void
from system_apis.payments.v1.service import Payments

EUR_50 = Money(5_000, "EUR")


@contextmanager
def keyed(key: str) -> Iterator[None]:
    """A call under way with this idempotency key."""
    principal = Principal(subject="test", client_id="test", accounts=Accounts(reach="all"))
    token = enter(Call(principal=principal, operation_id="payments.v1.test", idempotency_key=key))
    yield
    leave(token)


def new_payment(order: str = "O-1") -> NewPayment:
    return NewPayment(account_id="ACME", order_reference=order, amount=EUR_50, card_token="card_ok")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Payments]:
    files = RecordFiles(tmp_path)
    yield Payments(Connector(Settings(), files, ManualClock()), CursorCodec(b"secret"))
    files.close()


def test_a_payment_from_authorization_to_refund(service: Payments) -> None:
    async def scenario() -> None:
        with keyed("k-1"):
            payment = await service.authorize(new_payment())
        assert payment.reference == "k-1"
        with keyed("k-2"):
            captured = await service.capture(payment.payment_id, Capture(account_id="ACME", amount=EUR_50))
        assert captured.status == "captured"
        with keyed("k-3"):
            refunded = await service.refund(payment.payment_id, Refund(account_id="ACME", amount=EUR_50))
        assert refunded.status == "refunded"
        assert await service.get_payment(payment.payment_id) == refunded

    asyncio.run(scenario())


def test_void_says_what_it_did(service: Payments) -> None:
    async def scenario() -> None:
        with keyed("k-1"):
            await service.authorize(new_payment())
        with keyed("k-2"):
            voided = await service.void("k-1", Void(account_id="ACME"))
            nothing = await service.void("k-9", Void(account_id="ACME"))
        assert voided.outcome == "voided"
        assert voided.payment is not None
        assert (nothing.outcome, nothing.payment, nothing.reference) == ("nothing_to_void", None, "k-9")

    asyncio.run(scenario())


def test_pages_follow_each_other_to_the_end(service: Payments) -> None:
    async def scenario() -> None:
        for n in range(5):
            with keyed(f"k-{n}"):
                await service.authorize(new_payment("O-1" if n else "O-0"))
        seen: list[str] = []
        cursor: str | None = None
        for expected in (2, 2, 0):
            page = await service.list_payments(order_reference="O-1", limit=2, cursor=cursor)
            seen += [payment.reference for payment in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
            assert len(page.items) == expected
        assert seen == ["k-1", "k-2", "k-3", "k-4"]
        first = await service.list_payments(limit=1)
        with pytest.raises(InvalidParameters):
            await service.list_payments(order_reference="O-1", limit=1, cursor=first.next_cursor)

    asyncio.run(scenario())


@pytest.mark.parametrize("amount_minor", [0, -1])
@pytest.mark.parametrize("body", [Capture, Refund])
def test_an_amount_must_be_above_zero(body: type[Capture | Refund], amount_minor: int) -> None:
    with pytest.raises(ValueError, match="above zero"):
        body(account_id="ACME", amount=Money(amount_minor, "EUR"))


def test_a_card_number_with_blanks_is_no_token() -> None:
    body = msgspec.json.encode(new_payment()).replace(b"card_ok", b"4111 1111")
    with pytest.raises(msgspec.ValidationError, match="card_token"):
        msgspec.json.decode(body, type=NewPayment)
