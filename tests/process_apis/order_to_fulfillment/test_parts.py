"""Orders that leave in parts: each part is sent, invoiced and paid by itself, and what has not left can be cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from order_world import World, an_order, left_over, run

from process_apis.order_to_fulfillment.v1.model import NewOrder, Order, OrderCancellation
from system_apis.canonical.refusals import AlreadyShipped
from system_apis.canonical.values import Address, total
from system_apis.erp.documents import StockLevel
from system_apis.erp.port import DocumentFilter
from system_apis.logistics.port import ShipmentFilter
from system_apis.notifications.port import MessageFilter

NEVER_S = 3_600
PLACES = ("HAM", "ROT", "POZ", "CLE-3PL")


async def levels(world: World, sku: str, **on_hand: int) -> None:
    """Put so much of a product into these warehouses and nothing into the others."""
    for place in PLACES:
        await world.erp.put_stock(place, sku, StockLevel(on_hand=on_hand.get(place, 0), third_party="3PL" in place))


async def seen(world: World, order_id: str, good: Callable[[Order], bool]) -> Order:
    """The order once it is as wanted."""
    async with asyncio.timeout(30):
        while True:
            with world.calling():
                order = await world.orders.get_order(order_id)
            if good(order):
                return order
            await asyncio.sleep(0.01)


async def released(world: World, key: str, wanted: NewOrder, parts: int) -> Order:
    """A new order once so many warehouses have it."""
    order = await world.place(key, wanted, wait_s=0)
    return await seen(world, order.order_id, lambda one: len(one.shipment_ids) == parts)


async def dispatched(world: World, order: Order, warehouse: str) -> str:
    """Have a warehouse send its part; the shipment."""
    [shipment_id] = [one.shipment_id for one in order.shipments if one.warehouse == warehouse]
    await world.logistics.dispatch_shipment(shipment_id, order.account_id, f"by-hand-{shipment_id}")
    return shipment_id


async def cancelled(world: World, order: Order, reason: str = "not needed") -> Order:
    with world.calling(f"cancel-{order.order_id}", wait_s=10):
        wish = OrderCancellation(account_id=order.account_id, reason=reason)
        return await world.orders.cancel_order(order.order_id, wish)


def test_each_part_is_invoiced_and_paid_when_it_leaves(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path, dispatch_s=NEVER_S) as world:
            await levels(world, "BRG-6000", HAM=2, ROT=3)
            wanted = an_order("PIXELFAB", ("BRG-6000", 1), ("BRG-6000", 4), card_token="card_ok")
            order = await released(world, "k", wanted, 2)
            assert {line.status for line in order.lines} == {"allocated"}

            first = await dispatched(world, order, "ROT")
            partly = await seen(world, order.order_id, lambda one: len(one.invoice_ids) == 1)
            assert (partly.status, partly.stage) == ("confirmed", "partly_shipped")
            shown = {one.warehouse: one for one in partly.shipments}
            assert (shown["ROT"].status, shown["HAM"].status) == ("dispatched", "picked")
            assert (shown["ROT"].shipment_id, shown["ROT"].invoice_id) == (first, partly.invoice_ids[0])
            assert shown["ROT"].carrier and shown["ROT"].tracking_number
            assert sum(line.shipped for line in partly.lines) == 3
            assert "partly_shipped" in {line.status for line in partly.lines}
            [payment] = [one for one in await world.payments.ledger() if one.order_reference == order.order_id]
            invoice = await world.erp.get_invoice(partly.invoice_ids[0])
            assert (invoice.status, payment.captured_minor) == ("paid", invoice.total.amount_minor)

            await dispatched(world, order, "HAM")
            done = await seen(world, order.order_id, lambda one: one.status == "completed")
            assert len(done.invoice_ids) == 2
            bills = [await world.erp.get_invoice(one) for one in done.invoice_ids]
            assert total(tuple(one.total for one in bills), "EUR") == done.total
            assert {one.status for one in bills} == {"paid"}
            [payment] = [one for one in await world.payments.ledger() if one.order_reference == order.order_id]
            assert done.total is not None
            assert payment.captured_minor == payment.amount_minor == done.total.amount_minor
            ledger = await world.erp.ledger()
            assert [(one.status, one.invoices) for one in ledger.orders] == [("invoiced", 2)]
            assert ([one.status for one in ledger.reservations], ledger.discrepancies) == (["consumed"], ())
            assert {line.status for line in done.lines} == {"shipped"}

    run(scenario())


@pytest.mark.parametrize(("reason", "shown"), [("not needed", "not needed"), ("", "The customer cancelled it.")])
def test_an_order_in_the_warehouse_is_cancelled_there(tmp_path: Path, reason: str, shown: str) -> None:
    async def scenario() -> None:
        async with World(tmp_path, dispatch_s=NEVER_S) as world:
            before = (await world.erp.get_availability("BRG-6204")).available
            order = await released(world, "k", an_order("PIXELFAB", ("BRG-6204", 2), card_token="card_ok"), 1)
            stopped = await cancelled(world, order, reason)
            assert (stopped.status, stopped.stage, stopped.reason) == ("cancelled", "cancelled", shown)
            assert (stopped.invoice_ids, stopped.return_ids) == ((), ())
            assert [line.status for line in stopped.lines] == ["cancelled"]
            assert await left_over(world, stopped) == []
            assert (await world.erp.get_availability("BRG-6204")).available == before
            assert (await cancelled(world, order)).status == "cancelled", "asking again changes nothing"

    run(scenario())


def test_of_an_order_that_left_in_part_the_rest_stays_and_what_left_comes_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path, dispatch_s=NEVER_S) as world:
            await levels(world, "BRG-6000", HAM=2, ROT=3)
            order = await released(world, "k", an_order("ACME", ("BRG-6000", 5)), 2)
            await dispatched(world, order, "ROT")
            await seen(world, order.order_id, lambda one: len(one.invoice_ids) == 1)

            stopped = await cancelled(world, order, "the project is off")
            assert (stopped.status, stopped.reason) == ("cancelled", "the project is off")
            assert {one.warehouse: one.status for one in stopped.shipments} == {"ROT": "dispatched", "HAM": "cancelled"}
            [line] = stopped.lines
            assert (line.shipped, line.cancelled, line.status) == (3, 2, "shipped")
            assert len(stopped.return_ids) == 1

            async def expected() -> Any:
                async with asyncio.timeout(30):
                    while not (found := await world.erp.list_returns(DocumentFilter(account_ids=("ACME",)), 0, 10)):
                        await asyncio.sleep(0.01)
                return found[0][1]

            back = await expected()
            assert [(one.sku, one.quantity) for one in back.lines] == [("BRG-6000", 3)]
            availability = await world.erp.get_availability("BRG-6000")
            assert {one.warehouse: one.available for one in availability.positions if one.available} == {"HAM": 2}
            [posted] = (await world.erp.ledger()).orders
            invoice = await world.erp.get_invoice(stopped.invoice_ids[0])
            assert (posted.status, posted.total_minor, posted.invoices) == ("invoiced", invoice.total.amount_minor, 1)
            assert stopped.total == invoice.total
            assert (await world.erp.ledger()).discrepancies == ()
            assert (await world.erp.get_credit_status("ACME")).exposure == invoice.total

    run(scenario())


def test_when_everything_has_left_there_is_nothing_to_cancel(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path) as world:
            await levels(world, "BRG-6000", HAM=1, ROT=1)
            order = await world.place("k", an_order("ACME", ("BRG-6000", 2)))
            assert (order.status, len(order.invoice_ids)) == ("completed", 2)
            with pytest.raises(AlreadyShipped):
                await cancelled(world, order)

    run(scenario())


def test_a_delay_is_told_to_the_customer_and_to_sales(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path, dispatch_s=NEVER_S) as world:
            order = await released(world, "k", an_order("ACME", ("BRG-6204", 1), requested_on=date(2030, 1, 7)), 1)
            [shipment_id] = order.shipment_ids
            later = date(2030, 1, 9)
            await world.logistics.delay_shipment(shipment_id, "ACME", later, "Snow on the A7.", "snow")
            delayed = await seen(world, order.order_id, lambda one: one.shipments[0].promised_on == later)
            assert delayed.status == "confirmed"
            told = [one.kind for one in await world.crm.ledger() if one.subject_id == order.order_id]
            assert told == ["order_delayed"]
            letters = await world.notifications.list_messages(MessageFilter(template="order_delayed"), 0, 10)
            assert [(one.account_id, one.status) for _, one in letters] == [("ACME", "delivered")]

    run(scenario())


@pytest.mark.parametrize(
    ("sku", "country", "warehouse"),
    [
        ("DRV-MOT400", "US", "CLE-3PL"),
        ("DRV-MOT400", "DE", "HAM"),
        ("LUB-SPRAY", "PL", "HAM"),
        ("BRG-6204", "PL", "POZ"),
    ],
)
def test_what_is_bulky_or_hazardous_goes_its_own_way(tmp_path: Path, sku: str, country: str, warehouse: str) -> None:
    async def scenario() -> None:
        async with World(tmp_path) as world:
            there = Address(name="Goods in", street="Dock 1", city="Somewhere", country=country)
            order = await world.place("k", an_order("STADTWERKE", (sku, 1), ("SAF-HELM", 1), ship_to=there))
            assert order.status == "completed"
            assert {one.warehouse for one in order.allocations if one.sku == sku} == {warehouse}
            found = await world.logistics.list_shipments(ShipmentFilter(order_reference=order.order_id), 0, 10)
            assert {one.warehouse for _, one in found} == {one.warehouse for one in order.allocations}
            assert len(order.invoice_ids) == len(found)

    run(scenario())
