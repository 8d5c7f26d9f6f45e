"""Catalogue v1 over the embedded ERP, in both local modes: the ERP's prices and stock, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from process_apis.catalogue.v1.contract import CatalogueV1
from process_apis.catalogue.v1.service import Catalogue
from system_apis.canonical.entities import Product
from system_apis.canonical.refusals import UnknownAccount, UnknownProduct
from system_apis.canonical.values import Money, UnitPrice
from system_apis.erp.documents import Basket, BasketLine
from system_apis.erp.port import ProductFilter
from system_apis.erp.v1.service import Erp
from tests.process_apis.world import World, running

PRODUCTS = "/process/catalogue/v1/products"
ACME = "/process/catalogue/v1/accounts/ACME/products"
EVERYTHING = ProductFilter()
GLOBEX = "/process/catalogue/v1/accounts/GLOBEX/products"


@pytest.fixture(scope="module", params=["direct", "verify"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("catalogue"), request.param, (Erp, Catalogue)) as world:
        yield world


def skus(world: World, which: ProductFilter = EVERYTHING) -> list[str]:
    """What the ERP itself has, by SKU."""
    return [product.sku for product in world.run(world.erp.list_products(which, "", 1_000))]


def price_in_erp(world: World, account_id: str, sku: str, quantity: int) -> dict[str, Any]:
    line = world.run(world.erp.price(account_id, Basket(lines=(BasketLine(sku=sku, quantity=quantity),)))).lines[0]
    price = line.unit_price
    return {
        "quantity": quantity,
        "unit_price": {
            "amount": {"amount_minor": price.amount.amount_minor, "currency": price.amount.currency},
            "per": price.per,
        },
        "discount_bp": line.discount_bp,
        "net": {"amount_minor": line.net.amount_minor, "currency": line.net.currency},
        "tax_rate_bp": line.tax_rate_bp,
        "source": line.source,
    }


def test_every_product_is_reached_page_by_page(world: World) -> None:
    for limit in (7, 50, 200):
        assert [item["sku"] for item in world.collect("acme", PRODUCTS, limit=limit)] == skus(world)
        assert [item["sku"] for item in world.collect("acme", ACME, limit=limit)] == skus(world)


def test_filters_reach_the_erp_and_stay_with_the_cursor(world: World) -> None:
    bearings = skus(world, ProductFilter(category="Bearings"))
    assert [item["sku"] for item in world.collect("acme", ACME, limit=5, category="Bearings")] == bearings
    assert [item["sku"] for item in world.collect("acme", ACME, query="6204-2rs")] == ["BRG-6204"]
    gone = skus(world, ProductFilter(status="discontinued"))
    assert [item["sku"] for item in world.collect("acme", PRODUCTS, status="discontinued")] == gone
    assert world.get("acme", PRODUCTS, updated_since="2999-01-01T00:00:00Z")["items"] == []
    assert world.get("acme", ACME, query="no such thing") == {"items": [], "next_cursor": None}
    cursor = world.get("acme", ACME, limit=1)["next_cursor"]
    refused = world.ask("acme", "GET", ACME, query={"cursor": cursor, "category": "Bearings"})
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (400, "cursor")


def test_a_page_has_the_prices_and_the_stock_of_the_erp(world: World) -> None:
    for who, path, account_id in (("acme", ACME, "ACME"), ("globex", GLOBEX, "GLOBEX")):
        for item in world.collect(who, path, limit=20):
            assert item["account_id"] == account_id
            assert item["price"] == price_in_erp(world, account_id, item["sku"], 1)
            assert item["available"] == world.run(world.erp.get_availability(item["sku"])).available


def test_a_product_has_the_price_of_its_quantity(world: World) -> None:
    for quantity, source in ((1, "contract"), (500, "contract")):
        detail = world.get("acme", f"{ACME}/BRG-6204", quantity=quantity)
        assert detail["price"] == price_in_erp(world, "ACME", "BRG-6204", quantity)
        assert detail["price"]["source"] == source
    stock = world.run(world.erp.get_availability("BRG-6204"))
    assert detail["available"] == stock.available == sum(place["available"] for place in detail["stock"])
    assert {place["warehouse"] for place in detail["stock"]} == {place.warehouse for place in stock.positions}
    assert set(detail["stock"][0]) == {"warehouse", "available", "third_party"}


def test_what_is_not_there_is_a_typed_refusal(world: World) -> None:
    async def unknown_product(catalogue: CatalogueV1) -> None:
        with pytest.raises(UnknownProduct) as caught:
            await catalogue.get_product("ACME", "NO-SUCH")
        assert caught.value.sku == "NO-SUCH"

    async def unknown_account(catalogue: CatalogueV1) -> None:
        with pytest.raises(UnknownAccount):
            await catalogue.get_product("NO-SUCH", "BRG-6204")
        with pytest.raises(UnknownAccount):
            await catalogue.list_account_products("NO-SUCH")

    world.direct("acme", CatalogueV1, unknown_product)
    world.direct("platform", CatalogueV1, unknown_account)
    assert world.ask("acme", "GET", f"{ACME}/NO-SUCH").json()["type"] == "/problems/unknown-product"


def test_prices_of_another_account_are_not_there(world: World) -> None:
    for path in (GLOBEX, f"{GLOBEX}/BRG-6204"):
        assert world.ask("acme", "GET", path).json()["type"] == "/problems/not-found"
        assert world.ask("platform", "GET", path).status_code == 200


def test_a_product_without_a_price_for_the_account_spoils_no_page(world: World) -> None:
    euro = UnitPrice(Money(1_200, "EUR"))
    product = Product(sku="ZZ-EURO-ONLY", name="Euro only", category="Odd ones", unit="piece", list_price=euro)
    world.run(world.erp.put_product(product))
    found = {item["sku"]: item for item in world.collect("globex", GLOBEX)}
    assert found["ZZ-EURO-ONLY"]["price"] is None
    assert found["BRG-6204"]["price"] == price_in_erp(world, "GLOBEX", "BRG-6204", 1)
    assert world.get("globex", f"{GLOBEX}/ZZ-EURO-ONLY")["price"] is None
    assert world.get("acme", f"{ACME}/ZZ-EURO-ONLY")["price"]["unit_price"]["amount"]["amount_minor"] == 1_200
    assert world.get("acme", f"{ACME}/ZZ-EURO-ONLY")["available"] == 0


def test_too_much_money_is_refused(world: World) -> None:
    costly = UnitPrice(Money(10**15, "EUR"))
    product = Product(sku="ZZ-COSTLY", name="Costly", category="Odd ones", unit="piece", list_price=costly)
    world.run(world.erp.put_product(product))
    refused = world.ask("acme", "GET", f"{ACME}/ZZ-COSTLY", query={"quantity": 2})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/amount-exceeded")
    assert any(item["sku"] == "ZZ-COSTLY" for item in world.collect("acme", ACME))
