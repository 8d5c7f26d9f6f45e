"""The part of the ERP's conformance suite about master data, prices and stock."""

from __future__ import annotations

import asyncio

import pytest

from governance.contract.problems import NotFound
from system_apis.canonical.refusals import (
    CurrencyMismatch,
    InsufficientStock,
    ReferenceTaken,
    Tombstoned,
    UnknownAccount,
    UnknownProduct,
    WrongState,
)
from system_apis.canonical.values import Money, UnitPrice
from system_apis.erp.documents import (
    Basket,
    BasketLine,
    StockLevel,
)
from system_apis.erp.port import ErpPort, ProductFilter
from tests.system_apis.erp.material import eur, furnish, product, reservation, terms


class ErpMasterData:
    """Products, prices and terms."""

    def test_a_product_is_put_found_and_put_again(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await port.put_product(product("CT-B"))
            await port.put_product(product("CT-C"))
            put = await port.put_product(product("CT-B", 1_250))
            assert put.list_price == UnitPrice(eur(1_250))
            assert await port.get_product("CT-B") == put
            which = ProductFilter(query="thing ct-", category="Conformance")
            found = await port.list_products(which, "", 10)
            assert [item.sku for item in found] == ["CT-B", "CT-C"]
            assert [item.sku for item in await port.list_products(which, "CT-B", 10)] == ["CT-C"]
            with pytest.raises(UnknownProduct):
                await port.get_product("CT-NONE")

        asyncio.run(scenario())

    def test_a_basket_is_rounded_per_line_and_taxed_per_rate(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await port.put_terms(terms(discount_bp=750))
            await port.put_product(product("CT-S", 333))
            await port.put_product(product("CT-K", 1_137, per=1000))
            await port.put_product(product("CT-R", 199, tax="reduced"))
            lines = (("CT-S", 3), ("CT-S", 1), ("CT-K", 77), ("CT-R", 5))
            basket = Basket(lines=tuple(BasketLine(sku=sku, quantity=n) for sku, n in lines))
            priced = await port.price("CT-A", basket)
            # 999 × 0.925 = 924.075, 333 × 0.925 = 308.025, 87.549 × 0.925 = 80.98, 995 × 0.925 = 920.375
            assert [line.net.amount_minor for line in priced.lines] == [924, 308, 81, 920]
            assert [line.tax_rate_bp for line in priced.lines] == [1_900, 1_900, 1_900, 700]
            # 19 % of 1313 = 249.47, 7 % of 920 = 64.4
            assert (priced.net, priced.tax, priced.total) == (eur(2_233), eur(249 + 64), eur(2_546))
            assert {line.source for line in priced.lines} == {"list"}

        asyncio.run(scenario())

    def test_agreed_prices_and_discounts_go_first(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            agreed = BasketLine(sku="CT-1", quantity=2, agreed_price=UnitPrice(eur(700)))
            lowered = BasketLine(sku="CT-1", quantity=2, agreed_discount_bp=1_000)
            priced = await port.price("CT-A", Basket(lines=(agreed, lowered)))
            assert [(line.net.amount_minor, line.source) for line in priced.lines] == [
                (1_400, "agreed"),
                (1_800, "agreed"),
            ]
            dollars = BasketLine(sku="CT-1", quantity=2, agreed_price=UnitPrice(Money(700, "USD")))
            for wrong in (Basket(lines=(dollars,)), Basket(lines=(agreed,), currency="USD")):
                with pytest.raises(CurrencyMismatch):
                    await port.price("CT-A", wrong)
            with pytest.raises(UnknownAccount):
                await port.price("CT-NONE", Basket(lines=(agreed,)))
            with pytest.raises(UnknownProduct):
                await port.price("CT-A", Basket(lines=(BasketLine(sku="CT-NONE", quantity=1),)))

        asyncio.run(scenario())


class ErpStock:
    """Stock and reservations."""

    def test_reserves_once_for_each_reference(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            made = await asyncio.gather(*(port.reserve_stock(reservation(("CT-1", 4)), "r-1") for _ in range(10)))
            assert len({one.reservation_id for one in made}) == 1
            assert made[0].status == "held"
            assert await port.find_reservation_by_reference("r-1") == made[0]
            assert (await port.get_availability("CT-1")).available == 6
            with pytest.raises(ReferenceTaken):
                await port.reserve_stock(reservation(("CT-1", 5)), "r-1")
            assert await port.find_reservation_by_reference("r-2") is None

        asyncio.run(scenario())

    def test_too_little_stock_reserves_nothing_and_says_what_is_left(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            await port.put_product(product("CT-2"))
            with pytest.raises(UnknownProduct):
                await port.reserve_stock(reservation(("CT-NONE", 1)), "r-0")
            await port.put_stock("CT-HOME", "CT-2", StockLevel(on_hand=1))
            with pytest.raises(InsufficientStock) as caught:
                await port.reserve_stock(reservation(("CT-1", 4), ("CT-2", 1), ("CT-2", 1)), "r-1")
            assert caught.value.members() == {"sku": "CT-2", "requested": 2, "available": 1}
            assert (await port.get_availability("CT-1")).available == 10

        asyncio.run(scenario())

    def test_totals_are_what_each_availability_says(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port, stock=10)
            await port.put_product(product("CT-2"))
            await port.reserve_stock(reservation(("CT-1", 4)), "r-1")
            totals = await port.total_stock(("CT-2", "CT-NONE", "CT-1"))
            assert [(one.sku, one.available) for one in totals] == [("CT-2", 0), ("CT-NONE", None), ("CT-1", 6)]
            assert (await port.get_availability("CT-1")).available == 6

        asyncio.run(scenario())

    def test_many_at_once_never_reserve_more_than_there_is(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port, stock=10)
            attempts = (port.reserve_stock(reservation(("CT-1", 3)), f"r-{n}") for n in range(8))
            made = await asyncio.gather(*attempts, return_exceptions=True)
            assert sum(isinstance(one, InsufficientStock) for one in made) == 5
            position = (await port.get_availability("CT-1")).positions[0]
            assert (position.on_hand, position.reserved, position.available) == (10, 9, 1)

        asyncio.run(scenario())

    def test_a_release_gives_back_and_bars_the_reference(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            await port.reserve_stock(reservation(("CT-1", 4)), "r-1")
            with pytest.raises(NotFound):
                await port.release_reservation("r-1", "CT-B")
            for _ in range(2):
                released = await port.release_reservation("r-1", "CT-A")
                assert released is not None and released.status == "released"
            assert (await port.get_availability("CT-1")).available == 10
            assert await port.release_reservation("r-late", "CT-A") is None
            for reference in ("r-1", "r-late"):
                with pytest.raises(Tombstoned):
                    await port.reserve_stock(reservation(("CT-1", 4)), reference)
            with pytest.raises(WrongState):
                await port.consume_reservation("r-1", "CT-A")

        asyncio.run(scenario())

    def test_the_goods_issue_is_posted_once(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            await port.reserve_stock(reservation(("CT-1", 4)), "r-1")
            for _ in range(2):
                assert (await port.consume_reservation("r-1", "CT-A")).status == "consumed"
            position = (await port.list_inventory("CT-1", "CT-HOME", ("", ""), 5))[0]
            assert (position.on_hand, position.reserved) == (6, 0)
            with pytest.raises(WrongState):
                await port.release_reservation("r-1", "CT-A")
            with pytest.raises(NotFound):
                await port.consume_reservation("r-none", "CT-A")

        asyncio.run(scenario())

    def test_stock_is_not_counted_below_what_is_reserved(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            await port.reserve_stock(reservation(("CT-1", 4)), "r-1")
            with pytest.raises(InsufficientStock):
                await port.put_stock("CT-HOME", "CT-1", StockLevel(on_hand=3))
            assert (await port.put_stock("CT-HOME", "CT-1", StockLevel(on_hand=4))).available == 0

        asyncio.run(scenario())
