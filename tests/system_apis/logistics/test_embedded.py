"""The embedded warehouse keeps the port's promises, and its goods move by themselves as time passes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from governance.call import ManualClock
from system_apis.canonical.refusals import AlreadyShipped
from system_apis.embedded import RecordFiles
from system_apis.logistics.connectors.embedded.connector import Connector, Settings
from system_apis.logistics.port import ShipmentFilter
from tests.system_apis.logistics.conformance import REQUEST, LogisticsPortConformance

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def files(tmp_path: Path) -> Iterator[RecordFiles]:
    files = RecordFiles(tmp_path)
    yield files
    files.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def port(files: RecordFiles, clock: ManualClock) -> Connector:
    return Connector(Settings(manual=True), files, clock)


class TestConformance(LogisticsPortConformance):
    """The embedded connector, moved by call, under the suite of its port."""


@pytest.fixture
def moving(files: RecordFiles, clock: ManualClock) -> Connector:
    return Connector(Settings(), files, clock)


def test_goods_move_when_their_moment_has_come(moving: Connector, clock: ManualClock) -> None:
    async def scenario() -> None:
        shipment_id = (await moving.release_shipment(REQUEST, "s-1")).shipment_id
        for seconds, status in (
            (0.4, "released"),
            (0.1, "picked"),
            (0.5, "dispatched"),
            (2, "delivered"),
            (99, "delivered"),
        ):
            clock.advance(seconds)
            assert (await moving.get_shipment(shipment_id)).status == status

    asyncio.run(scenario())


def test_late_readers_see_the_times_at_which_things_were_due(moving: Connector, clock: ManualClock) -> None:
    async def scenario() -> None:
        await moving.release_shipment(REQUEST, "s-1")
        clock.advance(3600)
        ((_, shipment),) = await moving.list_shipments(ShipmentFilter(status="delivered"), 0, 10)
        offsets = [(event.status, (event.at - START) / timedelta(seconds=1)) for event in shipment.events]
        assert offsets == [("released", 0), ("picked", 0.5), ("dispatched", 1), ("delivered", 3)]
        assert shipment.carrier == "Meridian Worldwide"

    asyncio.run(scenario())


def test_goods_move_on_over_a_restart_whatever_the_new_settings_say(tmp_path: Path) -> None:
    async def before() -> None:
        files = RecordFiles(tmp_path)
        await Connector(Settings(), files, ManualClock(START)).release_shipment(REQUEST, "s-1")
        files.close()

    async def after() -> None:
        files = RecordFiles(tmp_path)
        later = ManualClock(START + timedelta(seconds=1))
        connector = Connector(Settings(manual=True), files, later)
        found = await connector.find_shipment_by_reference("s-1")
        assert found is not None
        assert found.status == "dispatched"
        (entry,) = await connector.ledger()
        assert (entry.reference, entry.order_reference, entry.status) == ("s-1", "O-1", "dispatched")
        files.close()

    asyncio.run(before())
    asyncio.run(after())


def test_what_was_seen_stays_when_the_clock_is_set_back(files: RecordFiles, tmp_path: Path) -> None:
    ahead, behind = ManualClock(START), ManualClock(START)
    other_files = RecordFiles(tmp_path)

    async def scenario() -> None:
        fast, slow = Connector(Settings(), files, ahead), Connector(Settings(), other_files, behind)
        shipment_id = (await fast.release_shipment(REQUEST, "s-1")).shipment_id
        ahead.advance(1)
        with pytest.raises(AlreadyShipped):
            await fast.cancel_shipment("s-1", "ACME")
        assert (await slow.get_shipment(shipment_id)).status == "dispatched"
        with pytest.raises(AlreadyShipped):
            await slow.cancel_shipment("s-1", "ACME")

    asyncio.run(scenario())
    other_files.close()


def test_a_step_by_call_comes_early_and_the_rest_follows_by_itself(moving: Connector, clock: ManualClock) -> None:
    async def scenario() -> None:
        shipment_id = (await moving.release_shipment(REQUEST, "s-1")).shipment_id
        assert (await moving.pick_shipment(shipment_id, "ACME", "p-1")).status == "picked"
        clock.advance(0.5)
        assert (await moving.get_shipment(shipment_id)).status == "picked"
        clock.advance(0.5)
        assert (await moving.get_shipment(shipment_id)).status == "dispatched"

    asyncio.run(scenario())


def test_cancelled_goods_stay_where_they_are(moving: Connector, clock: ManualClock) -> None:
    async def scenario() -> None:
        await moving.release_shipment(REQUEST, "s-1")
        await moving.cancel_shipment("s-1", "ACME")
        clock.advance(60)
        (entry,) = await moving.ledger()
        assert entry.status == "cancelled"

    asyncio.run(scenario())


def test_delayed_goods_wait_for_the_new_day(moving: Connector, clock: ManualClock) -> None:
    async def scenario() -> None:
        shipment_id = (await moving.release_shipment(REQUEST, "s-1")).shipment_id
        clock.advance(1)
        await moving.delay_shipment(shipment_id, "ACME", date(2026, 1, 3), "Snow", "l-1")
        clock.advance(2 * 86_400 - 2)
        assert (await moving.get_shipment(shipment_id)).status == "delayed"
        clock.advance(1)
        assert (await moving.get_shipment(shipment_id)).status == "delivered"

    asyncio.run(scenario())


def test_settings_that_would_deliver_before_dispatch_are_refused() -> None:
    with pytest.raises(ValueError, match="must not fall"):
        Settings(dispatch_after_s=5, deliver_after_s=2)
