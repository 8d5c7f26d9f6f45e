"""Logistics v1: the service names records by the key of the call, undoes by reference, and tracks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import msgspec
import pytest

from governance.call import Accounts, Call, ManualClock, Principal, enter, leave
from governance.contract import CursorCodec
from system_apis.embedded import RecordFiles
from system_apis.logistics.connectors.embedded.connector import Connector, Settings
from system_apis.logistics.v1.model import Delay, ForAccount, NewShipment
from system_apis.logistics.v1.service import Logistics
from tests.system_apis.logistics.conformance import REQUEST

ACME = ForAccount(account_id="ACME")
NEW = NewShipment(
    account_id="ACME", order_reference="O-1", warehouse="HAM", lines=REQUEST.lines, ship_to=REQUEST.ship_to
)


@contextmanager
def keyed(key: str) -> Iterator[None]:
    """A call under way with this idempotency key."""
    principal = Principal(subject="test", client_id="test", accounts=Accounts(reach="all"))
    token = enter(Call(principal=principal, operation_id="logistics.v1.test", idempotency_key=key))
    yield
    leave(token)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Logistics]:
    files = RecordFiles(tmp_path)
    yield Logistics(Connector(Settings(manual=True), files, ManualClock()), CursorCodec(b"secret"))
    files.close()


def test_a_shipment_from_release_to_delivery(service: Logistics) -> None:
    async def scenario() -> None:
        with keyed("k-1"):
            shipment = await service.release_shipment(NEW)
        assert shipment.reference == "k-1"
        with keyed("k-2"):
            await service.pick(shipment.shipment_id, ACME)
        with keyed("k-3"):
            await service.dispatch(shipment.shipment_id, ACME)
        with keyed("k-4"):
            await service.delay(
                shipment.shipment_id, Delay(account_id="ACME", promised_on=date(2026, 1, 9), note="Snow")
            )
        with keyed("k-5"):
            await service.deliver(shipment.shipment_id, ACME)
        tracking = await service.get_tracking(shipment.shipment_id)
        assert [event.status for event in tracking.events] == [
            "released",
            "picked",
            "dispatched",
            "delayed",
            "delivered",
        ]
        assert (tracking.status, tracking.promised_on) == ("delivered", date(2026, 1, 9))
        assert tracking.tracking_number == "TG0000000017"
        assert (await service.get_shipment(shipment.shipment_id)).events == tracking.events

    asyncio.run(scenario())


def test_cancel_says_what_it_did(service: Logistics) -> None:
    async def scenario() -> None:
        with keyed("k-1"):
            await service.release_shipment(NEW)
        cancelled = await service.cancel_shipment("k-1", ACME)
        assert cancelled.outcome == "cancelled"
        assert cancelled.shipment is not None
        nothing = await service.cancel_shipment("k-9", ACME)
        assert (nothing.outcome, nothing.shipment) == ("nothing_to_cancel", None)

    asyncio.run(scenario())


def test_pages_follow_each_other_to_the_end(service: Logistics) -> None:
    async def scenario() -> None:
        for n in range(3):
            with keyed(f"k-{n}"):
                await service.release_shipment(NEW)
        first = await service.list_shipments(account_id="ACME", status="released", limit=2)
        rest = await service.list_shipments(account_id="ACME", status="released", limit=2, cursor=first.next_cursor)
        assert [shipment.reference for shipment in (*first.items, *rest.items)] == ["k-0", "k-1", "k-2"]
        assert rest.next_cursor is None

    asyncio.run(scenario())


def test_a_shipment_of_nothing_is_refused() -> None:
    body = msgspec.json.encode(NEW).replace(msgspec.json.encode(NEW.lines), b"[]")
    with pytest.raises(msgspec.ValidationError, match="lines"):
        msgspec.json.decode(body, type=NewShipment)
