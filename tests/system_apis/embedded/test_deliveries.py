"""What the embedded systems would report by webhook, read strictly and in canonical terms."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from governance.call import ManualClock
from governance.contract import CursorCodec, Delivery
from governance.contract.refusals import InvalidBody, SystemUnavailable
from governance.database import Database
from governance.webhooks import Inbox
from system_apis.canonical.values import Money
from system_apis.commerce.connectors.embedded.deliveries import notice_of as of_channel_order
from system_apis.commerce.notices import ChannelOrderNotice
from system_apis.embedded import RecordFiles
from system_apis.logistics.connectors.embedded.deliveries import notice_of as of_shipment
from system_apis.logistics.notices import ShipmentNotice
from system_apis.payments.connectors.embedded.connector import Connector, Settings
from system_apis.payments.connectors.embedded.deliveries import notice_of as of_payment
from system_apis.payments.notices import PaymentNotice
from system_apis.payments.v1.service import Payments

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def delivery(type_: str, event_id: str = "e-1", **data: Any) -> Delivery:
    body = json.dumps({"type": type_, "timestamp": "2026-03-01T13:00:00+01:00", "data": data, "more": 1}).encode()
    return Delivery(system="payments", event_id=event_id, sent_at=NOON, body=body)


@pytest.mark.parametrize("kind", ["captured", "failed", "refunded", "disputed"])
def test_every_kind_of_a_payment(kind: Any) -> None:
    amount = {"amount_minor": 1_999, "currency": "EUR"}
    found = of_payment(delivery(f"payment.{kind}", payment_id="PAY-1", amount=amount, reason="because", extra=True))
    wanted = PaymentNotice(
        kind=kind, occurred_at=NOON, payment_id="PAY-1", amount=Money(1_999, "EUR"), reason="because"
    )
    assert found == wanted


@pytest.mark.parametrize("kind", ["picked", "dispatched", "delayed", "delivered"])
def test_every_kind_of_a_shipment(kind: Any) -> None:
    found = of_shipment(delivery(f"shipment.{kind}", shipment_id="SHP-1", promised_on="2026-03-09"))
    assert found == ShipmentNotice(kind=kind, occurred_at=NOON, shipment_id="SHP-1", promised_on=date(2026, 3, 9))


@pytest.mark.parametrize("kind", ["created", "cancelled"])
def test_every_kind_of_a_channel_order(kind: Any) -> None:
    found = of_channel_order(delivery(f"channel_order.{kind}", channel_order_id="CHO-1", reason="x"))
    assert found == ChannelOrderNotice(kind=kind, occurred_at=NOON, channel_order_id="CHO-1", reason="x")


@pytest.mark.parametrize("read", [of_payment, of_shipment, of_channel_order])
def test_other_kinds_are_passed_over_and_broken_ones_refused(read: Callable[[Delivery], Any]) -> None:
    assert read(delivery("customer.created", anything=[1])) is None
    kinds = {of_payment: "payment.failed", of_shipment: "shipment.picked", of_channel_order: "channel_order.created"}
    for broken in (
        delivery(kinds[read]),
        delivery(kinds[read], payment_id="", shipment_id="", channel_order_id=""),
        Delivery(system="payments", event_id="e", sent_at=NOON, body=b"{"),
        Delivery(system="payments", event_id="e", sent_at=NOON, body=b'{"type":"a.b","timestamp":"2026-03-01T12:00:00","data":{}}'),
    ):  # fmt: skip
        with pytest.raises(InvalidBody):
            read(broken)


def test_a_service_keeps_each_event_once_and_shows_what_it_kept(tmp_path: Path) -> None:
    async def scenario() -> None:
        files, database = RecordFiles(tmp_path / "systems"), Database(tmp_path)
        inbox = Inbox(database, ManualClock(NOON))
        await database.start()
        service = Payments(Connector(Settings(), files, ManualClock()), CursorCodec(b"k"), inbox)
        told = [
            (await service.receive_event(one)).outcome
            for one in (
                delivery("payment.failed", payment_id="PAY-1"),
                delivery("payment.failed", payment_id="PAY-1"),
                delivery("payment.captured", "e-2", payment_id="PAY-1"),
                delivery("customer.created", "e-3"),
            )
        ]
        assert told == ["kept", "repeated", "kept", "passed_over"]
        first = await service.list_notices(limit=1)
        rest = await service.list_notices(after=first.position)
        assert [(one.event_id, one.notice.kind) for one in (*first.items, *rest.items)] == [
            ("e-1", "failed"), ("e-2", "captured"),
        ]  # fmt: skip
        assert (await service.list_notices(after=rest.position)).position == rest.position
        await database.stop()
        files.close()

    asyncio.run(scenario())


def test_a_process_without_an_inbox_receives_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        files = RecordFiles(tmp_path)
        service = Payments(Connector(Settings(), files, ManualClock()), CursorCodec(b"k"))
        with pytest.raises(SystemUnavailable):
            await service.receive_event(delivery("payment.failed", payment_id="PAY-1"))
        files.close()

    asyncio.run(scenario())
