"""The embedded payment provider keeps the port's promises, over restarts and over processes that share its file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from governance.call import ManualClock
from system_apis.canonical.refusals import PaymentDeclined
from system_apis.canonical.values import Money
from system_apis.embedded import RecordFiles
from system_apis.payments.connectors.embedded.connector import Connector, Settings
from tests.system_apis.payments.conformance import EUR_50, PaymentsPortConformance, request


@pytest.fixture
def files(tmp_path: Path) -> Iterator[RecordFiles]:
    files = RecordFiles(tmp_path)
    yield files
    files.close()


@pytest.fixture
def port(files: RecordFiles) -> Connector:
    return Connector(Settings(), files, ManualClock())


class TestConformance(PaymentsPortConformance):
    """The embedded connector under the suite of its port."""


def test_an_unknown_card_is_declined(port: Connector) -> None:
    with pytest.raises(PaymentDeclined) as caught:
        asyncio.run(port.authorize(request("4111111111111111"), "r-1"))
    assert caught.value.reason == "unknown_card"


def test_an_amount_above_the_set_limit_is_declined(files: RecordFiles) -> None:
    port = Connector(Settings(decline_above_minor=4_999), files, ManualClock())
    with pytest.raises(PaymentDeclined) as caught:
        asyncio.run(port.authorize(request(), "r-1"))
    assert caught.value.reason == "insufficient_funds"
    assert asyncio.run(port.authorize(request(amount=Money(4_999, "EUR")), "r-1")).status == "authorized"


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    async def before() -> None:
        files = RecordFiles(tmp_path)
        connector = Connector(Settings(), files, ManualClock())
        payment = await connector.authorize(request(), "r-1")
        await connector.capture(payment.payment_id, "ACME", EUR_50, "c-1")
        await connector.void("r-2", "ACME")
        files.close()

    async def after() -> None:
        files = RecordFiles(tmp_path)
        connector = Connector(Settings(), files, ManualClock())
        (entry,) = await connector.ledger()
        assert (entry.reference, entry.order_reference, entry.account_id) == ("r-1", "O-1", "ACME")
        assert (entry.status, entry.currency, entry.amount_minor) == ("captured", "EUR", 5_000)
        assert (entry.captured_minor, entry.refunded_minor) == (5_000, 0)
        assert await connector.void("r-2", "ACME") is None
        files.close()

    asyncio.run(before())
    asyncio.run(after())


def test_two_processes_on_one_file_make_one_payment(tmp_path: Path) -> None:
    homes = [RecordFiles(tmp_path), RecordFiles(tmp_path)]

    async def scenario() -> None:
        ports = [Connector(Settings(), files, ManualClock()) for files in homes]
        made = await asyncio.gather(*(ports[n % 2].authorize(request(), "r-1") for n in range(20)))
        assert len({payment.payment_id for payment in made}) == 1
        assert len(await ports[0].ledger()) == 1

    asyncio.run(scenario())
    for files in homes:
        files.close()


def test_the_table_itself_refuses_a_wrong_balance(port: Connector, tmp_path: Path) -> None:
    asyncio.run(port.authorize(request(), "r-1"))
    with closing(sqlite3.connect(tmp_path / "payments.sqlite")) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute("UPDATE payment SET captured_minor = 5001")
    connection.close()


def test_the_card_token_is_not_stored(port: Connector, tmp_path: Path) -> None:
    asyncio.run(port.authorize(request(amount=Money(1, "EUR")), "r-1"))
    assert not any(b"card_ok" in path.read_bytes() for path in tmp_path.iterdir())
