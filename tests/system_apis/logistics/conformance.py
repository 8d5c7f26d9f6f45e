"""What every logistics connector must do. Subclass it where the connector's tests are, with a ``port`` fixture.

The system behind the port must move goods only by call.
"""

from __future__ import annotations

import asyncio
from datetime import date

import pytest
from msgspec.structs import replace

from governance.contract.problems import NotFound
from system_apis.canonical.entities import ShipmentLine
from system_apis.canonical.refusals import AlreadyShipped, ReferenceTaken, Tombstoned, WrongState
from system_apis.canonical.values import Address
from system_apis.logistics.port import LogisticsPort, ShipmentFilter, ShipmentRequest

REQUEST = ShipmentRequest(
    account_id="ACME",
    order_reference="O-1",
    warehouse="HAM",
    lines=(ShipmentLine(sku="BRG-6204", quantity=2), ShipmentLine(sku="BLT-10", quantity=100)),
    ship_to=Address(name="Acme, goods in", street="Kaivokatu 1", city="Helsinki", country="FI", postal_code="00100"),
    promised_on=date(2026, 1, 5),
)


async def shipped(port: LogisticsPort, until: str) -> str:
    """The number of a shipment moved by call as far as ``until``."""
    shipment_id = (await port.release_shipment(REQUEST, "s-1")).shipment_id
    for status, move in (
        ("picked", port.pick_shipment),
        ("dispatched", port.dispatch_shipment),
        ("delivered", port.deliver_shipment),
    ):
        if until == "released":
            break
        await move(shipment_id, "ACME", f"to-{status}")
        if status == until:
            break
    return shipment_id


class LogisticsPortConformance:
    """The promises of ``LogisticsPort``."""

    def test_releases_once_for_each_reference(self, port: LogisticsPort) -> None:
        async def scenario() -> None:
            first = await port.release_shipment(REQUEST, "s-1")
            assert (first.status, first.carrier, first.tracking_number) == ("released", "", "")
            assert (first.reference, first.order_reference, first.account_id) == ("s-1", "O-1", "ACME")
            assert (first.lines, first.ship_to, first.warehouse) == (REQUEST.lines, REQUEST.ship_to, "HAM")
            assert first.promised_on == date(2026, 1, 5)
            assert [event.status for event in first.events] == ["released"]
            assert await port.release_shipment(REQUEST, "s-1") == first
            assert await port.find_shipment_by_reference("s-1") == first
            assert await port.get_shipment(first.shipment_id) == first
            assert await port.find_shipment_by_reference("s-2") is None

        asyncio.run(scenario())

    def test_many_at_once_under_one_reference_make_one_shipment(self, port: LogisticsPort) -> None:
        async def scenario() -> None:
            made = await asyncio.gather(*(port.release_shipment(REQUEST, "s-1") for _ in range(25)))
            assert len({shipment.shipment_id for shipment in made}) == 1

        asyncio.run(scenario())

    @pytest.mark.parametrize(
        "other",
        [
            replace(REQUEST, account_id="OTHER"),
            replace(REQUEST, lines=REQUEST.lines[:1]),
            replace(REQUEST, promised_on=None),
        ],
    )
    def test_a_reference_stands_for_one_content(self, port: LogisticsPort, other: ShipmentRequest) -> None:
        async def scenario() -> None:
            first = await port.release_shipment(REQUEST, "s-1")
            with pytest.raises(ReferenceTaken) as caught:
                await port.release_shipment(other, "s-1")
            assert caught.value.record_id == first.shipment_id

        asyncio.run(scenario())

    def test_goods_go_from_shelf_to_carrier_to_customer(self, port: LogisticsPort) -> None:
        async def scenario() -> None:
            shipment_id = await shipped(port, "picked")
            sent = await port.dispatch_shipment(shipment_id, "ACME", "d-1")
            assert sent.status == "dispatched"
            assert sent.carrier
            assert sent.tracking_number
            there = await port.deliver_shipment(shipment_id, "ACME", "e-1")
            assert (there.status, there.carrier, there.tracking_number) == (
                "delivered",
                sent.carrier,
                sent.tracking_number,
            )
            assert [event.status for event in there.events] == ["released", "picked", "dispatched", "delivered"]
            assert there.events[-1].location == "Helsinki"

        asyncio.run(scenario())

    def test_a_step_out_of_turn_is_refused(self, port: LogisticsPort) -> None:
        async def scenario() -> None:
            shipment_id = await shipped(port, "released")
            for move in (port.dispatch_shipment, port.deliver_shipment):
                with pytest.raises(WrongState) as caught:
                    await move(shipment_id, "ACME", "x-1")
                assert caught.value.state == "released"
            with pytest.raises(NotFound):
                await port.pick_shipment(shipment_id, "OTHER", "x-1")
            assert (await port.get_shipment(shipment_id)).status == "released"

        asyncio.run(scenario())

    def test_a_repeated_step_is_taken_once(self, port: LogisticsPort) -> None:
        async def scenario() -> None:
            shipment_id = await shipped(port, "released")
            await asyncio.gather(*(port.pick_shipment(shipment_id, "ACME", "p-1") for _ in range(10)))
            assert [event.status for event in (await port.get_shipment(shipment_id)).events] == ["released", "picked"]
            with pytest.raises(ReferenceTaken):
                await port.dispatch_shipment(shipment_id, "ACME", "p-1")
            assert (await port.dispatch_shipment(shipment_id, "ACME", "d-1")).status == "dispatched"
            assert (await port.pick_shipment(shipment_id, "ACME", "p-1")).status == "dispatched"
            change = await port.find_change_by_reference("p-1")
            assert change is not None
            assert (change.kind, change.shipment_id) == ("pick", shipment_id)
            assert await port.find_change_by_reference("p-2") is None

        asyncio.run(scenario())

    @pytest.mark.parametrize("reached", ["released", "picked"])
    def test_cancel_undoes_what_has_not_left(self, port: LogisticsPort, reached: str) -> None:
        async def scenario() -> None:
            shipment_id = await shipped(port, reached)
            for _ in range(2):
                cancelled = await port.cancel_shipment("s-1", "ACME")
                assert cancelled is not None
                assert (cancelled.shipment_id, cancelled.status) == (shipment_id, "cancelled")
                assert [event.status for event in cancelled.events].count("cancelled") == 1
            with pytest.raises(Tombstoned):
                await port.release_shipment(REQUEST, "s-1")
            with pytest.raises(WrongState):
                await port.pick_shipment(shipment_id, "ACME", "p-9")

        asyncio.run(scenario())

    def test_cancel_of_nothing_bars_the_late_original(self, port: LogisticsPort) -> None:
        async def scenario() -> None:
            assert await port.cancel_shipment("s-1", "ACME") is None
            assert await port.cancel_shipment("s-1", "ACME") is None
            with pytest.raises(Tombstoned):
                await port.release_shipment(REQUEST, "s-1")
            assert await port.find_shipment_by_reference("s-1") is None

        asyncio.run(scenario())

    @pytest.mark.parametrize("reached", ["dispatched", "delivered"])
    def test_cancel_refuses_what_has_left_and_what_is_not_yours(self, port: LogisticsPort, reached: str) -> None:
        async def scenario() -> None:
            shipment_id = await shipped(port, reached)
            with pytest.raises(NotFound):
                await port.cancel_shipment("s-1", "OTHER")
            with pytest.raises(AlreadyShipped) as caught:
                await port.cancel_shipment("s-1", "ACME")
            assert caught.value.record_id == shipment_id
            assert (await port.get_shipment(shipment_id)).status == reached

        asyncio.run(scenario())

    @pytest.mark.parametrize(
        ("reached", "shown"), [("released", "released"), ("picked", "picked"), ("dispatched", "delayed")]
    )
    def test_a_delay_promises_another_day(self, port: LogisticsPort, reached: str, shown: str) -> None:
        async def scenario() -> None:
            shipment_id = await shipped(port, reached)
            delayed = await port.delay_shipment(shipment_id, "ACME", date(2026, 1, 9), "Snow", "l-1")
            assert (delayed.status, delayed.promised_on) == (shown, date(2026, 1, 9))
            assert (delayed.events[-1].status, delayed.events[-1].note) == ("delayed", "Snow")
            assert await port.delay_shipment(shipment_id, "ACME", date(2026, 1, 9), "Snow", "l-1") == delayed
            with pytest.raises(ReferenceTaken):
                await port.delay_shipment(shipment_id, "ACME", date(2026, 1, 10), "Snow", "l-1")

        asyncio.run(scenario())

    def test_delayed_goods_have_left_and_still_arrive(self, port: LogisticsPort) -> None:
        async def scenario() -> None:
            shipment_id = await shipped(port, "dispatched")
            await port.delay_shipment(shipment_id, "ACME", date(2026, 1, 9), "Snow", "l-1")
            with pytest.raises(AlreadyShipped):
                await port.cancel_shipment("s-1", "ACME")
            assert (await port.deliver_shipment(shipment_id, "ACME", "e-1")).status == "delivered"
            with pytest.raises(WrongState):
                await port.delay_shipment(shipment_id, "ACME", date(2026, 1, 10), "", "l-2")

        asyncio.run(scenario())

    @pytest.mark.parametrize("shipment_id", ["SHP-00000009", "nothing", "SHP-9999999999999999999999", "SHP-1"])
    def test_what_is_not_there_is_not_found(self, port: LogisticsPort, shipment_id: str) -> None:
        async def scenario() -> None:
            with pytest.raises(NotFound):
                await port.get_shipment(shipment_id)
            with pytest.raises(NotFound):
                await port.pick_shipment(shipment_id, "ACME", "p-1")

        asyncio.run(scenario())

    def test_lists_by_account_reference_order_and_status_in_pages(self, port: LogisticsPort) -> None:
        async def scenario() -> None:
            made = [
                await port.release_shipment(
                    replace(REQUEST, account_id=f"A-{n % 2}", order_reference=f"O-{n % 3}"), f"s-{n}"
                )
                for n in range(6)
            ]
            first = await port.list_shipments(ShipmentFilter(), 0, 4)
            rest = await port.list_shipments(ShipmentFilter(), first[-1][0], 4)
            assert [shipment for _, shipment in first + rest] == made
            made[3] = await port.pick_shipment(made[3].shipment_id, "A-1", "p-1")
            for which, expected in (
                (ShipmentFilter(account_ids=("A-1",)), made[1::2]),
                (ShipmentFilter(account_ids=("A-0", "A-1")), made),
                (ShipmentFilter(account_ids=()), []),
                (ShipmentFilter(order_reference="O-2"), made[2::3]),
                (ShipmentFilter(reference="s-4"), made[4:5]),
                (ShipmentFilter(status="picked"), made[3:4]),
            ):
                assert [shipment for _, shipment in await port.list_shipments(which, 0, 10)] == expected

        asyncio.run(scenario())
