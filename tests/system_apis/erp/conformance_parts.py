"""The part of the ERP's conformance suite about orders that leave in parts and from certain warehouses."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from governance.contract.problems import NotFound
from system_apis.canonical.refusals import InsufficientStock, WrongState
from system_apis.erp.documents import (
    NewInvoice,
    NewInvoiceLine,
    NewReservation,
    ReservationPart,
    StockLevel,
    StockLine,
)
from system_apis.erp.port import ErpPort
from tests.system_apis.erp.material import eur, furnish, order, product, reservation

PLACES = ("CT-A1", "CT-B1")


async def two_places(port: ErpPort) -> None:
    """Two units of CT-1 in each of two warehouses."""
    await furnish(port, limit=1_000_000, stock=0)
    for place in PLACES:
        await port.put_stock(place, "CT-1", StockLevel(on_hand=2, country="DE"))


def part(warehouse: str, account_id: str = "CT-A") -> ReservationPart:
    return ReservationPart(account_id=account_id, warehouse=warehouse)


class ErpParts:
    """Reservations, issues and orders in parts."""

    def test_each_warehouse_issues_or_gives_back_its_part_once(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await two_places(port)
            await port.reserve_stock(reservation(("CT-1", 4)), "r-1")
            for _ in range(2):
                assert (await port.issue_part("r-1", part("CT-A1"))).status == "held"
            for wrong in (part("CT-HOME"), part("CT-A1", "CT-B")):
                with pytest.raises(NotFound):
                    await port.issue_part("r-1", wrong)
            with pytest.raises(WrongState):
                await port.release_part("r-1", part("CT-A1"))
            for _ in range(2):
                assert (await port.release_part("r-1", part("CT-B1"))).status == "consumed"
            levels = {
                one.warehouse: (one.on_hand, one.reserved) for one in (await port.get_availability("CT-1")).positions
            }
            assert (levels["CT-A1"], levels["CT-B1"]) == ((0, 0), (2, 0))

        asyncio.run(scenario())

    def test_a_release_gives_back_what_was_not_issued(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await two_places(port)
            await port.reserve_stock(reservation(("CT-1", 4)), "r-1")
            await port.issue_part("r-1", part("CT-A1"))
            released = await port.release_reservation("r-1", "CT-A")
            assert released is not None and released.status == "consumed"
            assert (await port.get_availability("CT-1")).available == 2
            await port.reserve_stock(reservation(("CT-1", 2)), "r-2")
            assert (await port.release_part("r-2", part("CT-B1"))).status == "released"
            assert (await port.get_availability("CT-1")).available == 2

        asyncio.run(scenario())

    def test_as_much_as_there_is(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await two_places(port)
            await port.put_product(product("CT-2"))
            wanted = replace(reservation(("CT-1", 7), ("CT-2", 1)), partial=True)
            held = await port.reserve_stock(wanted, "r-1")
            assert {(one.sku, one.warehouse, one.quantity) for one in held.allocations} == {
                ("CT-1", place, 2) for place in PLACES
            }
            assert await port.reserve_stock(wanted, "r-1") == held
            with pytest.raises(InsufficientStock):
                await port.reserve_stock(wanted, "r-2")

        asyncio.run(scenario())

    def test_from_certain_warehouses_only(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await two_places(port)

            def wanted(quantity: int, *warehouses: str) -> NewReservation:
                line = StockLine(sku="CT-1", quantity=quantity, from_warehouses=warehouses)
                return NewReservation(account_id="CT-A", lines=(line,), ship_country="DE")

            with pytest.raises(InsufficientStock) as refused:
                await port.reserve_stock(wanted(3, "CT-B1"), "r-1")
            assert refused.value.available == 2
            first = await port.reserve_stock(wanted(1, "CT-B1", "CT-A1"), "r-2")
            assert [(one.warehouse, one.quantity) for one in first.allocations] == [("CT-B1", 1)]
            rest = await port.reserve_stock(wanted(3, "CT-B1", "CT-A1"), "r-3")
            assert [(one.warehouse, one.quantity) for one in rest.allocations] == [("CT-B1", 1), ("CT-A1", 2)]

        asyncio.run(scenario())

    def test_an_order_is_closed_over_what_was_invoiced(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await two_places(port)
            posted = await port.post_sales_order(order(("CT-1", 3, 1_001), ("CT-1", 2, 500)), "so-1")
            lines = (NewInvoiceLine(line_no=1, quantity=2),)
            billed = await port.post_invoice(
                NewInvoice(account_id="CT-A", sales_order_id=posted.sales_order_id, lines=lines), "i-1"
            )
            with pytest.raises(NotFound):
                await port.close_sales_order(posted.sales_order_id, "CT-B")
            for _ in range(2):
                closed = await port.close_sales_order(posted.sales_order_id, "CT-A")
                assert (closed.status, closed.total) == ("invoiced", billed.total)
                assert [(one.line_no, one.quantity) for one in closed.lines] == [(1, 2)]
            assert (await port.get_credit_status("CT-A")).exposure == billed.total
            other = await port.post_sales_order(order(("CT-1", 1, 1_000)), "so-2")
            assert (await port.close_sales_order(other.sales_order_id, "CT-A")).status == "cancelled"
            assert (await port.get_credit_status("CT-A")).exposure == billed.total != eur(0)

        asyncio.run(scenario())
