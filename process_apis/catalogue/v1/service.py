"""Catalogue v1 over the ERP, which owns products, prices and stock.

Price and stock are read when asked and kept nowhere. A page costs one call for its products, one
for all its prices and one for all its stock. When the ERP is away the answer is its
``SystemUnavailable``: never a page with half of its prices.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Literal, TypeVar

from governance.contract import Page
from process_apis.catalogue.v1.contract import CatalogueV1
from process_apis.catalogue.v1.model import AccountPrice, AccountProduct, Product, ProductDetail, WarehouseStock
from system_apis.canonical.refusals import AmountExceeded, CurrencyMismatch, NoTaxRate, UnknownProduct
from system_apis.canonical.values import AccountId, Level, Name, Quantity, Sku, Text
from system_apis.erp.v1.contract import ErpV1
from system_apis.erp.v1.model import Basket, BasketLine, StockInquiry

AT_ONCE = 50
"""Calls under way at once for one page."""

Answer = TypeVar("Answer")

NOT_FOR_SALE = (CurrencyMismatch, NoTaxRate)
"""The ERP can't price the product for this account at all."""


class Catalogue(CatalogueV1):
    """Products from the ERP, without what only the company may know."""

    needs = (
        ErpV1.list_products,
        ErpV1.get_product,
        ErpV1.get_customer_price,
        ErpV1.price_basket,
        ErpV1.get_availability,
        ErpV1.total_stock,
    )

    def __init__(self, erp: ErpV1) -> None:
        self._erp = erp

    async def list_products(
        self,
        *,
        query: Text | None = None,
        category: Name | None = None,
        status: Literal["active", "discontinued"] | None = None,
        updated_since: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Product]:
        """Products by SKU at their list prices."""
        found = await self._erp.list_products(
            query=query, category=category, status=status, updated_since=updated_since, limit=limit, cursor=cursor
        )
        items = tuple(
            Product(
                sku=product.sku,
                name=product.name,
                category=product.category,
                unit=product.unit,
                list_price=product.list_price,
                description=product.description,
                status=product.status,
                weight_g=product.weight_g,
                updated_at=product.updated_at,
            )
            for product in found.items
        )
        return Page(items, found.next_cursor)

    async def list_account_products(
        self,
        account_id: AccountId,
        *,
        query: Text | None = None,
        category: Name | None = None,
        status: Literal["active", "discontinued"] | None = None,
        updated_since: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[AccountProduct]:
        """Products by SKU with the account's price of one unit and what is available."""
        found = await self._erp.list_products(
            query=query, category=category, status=status, updated_since=updated_since, limit=limit, cursor=cursor
        )
        if not found.items:
            return Page(())
        skus = tuple(product.sku for product in found.items)
        prices, available = await asyncio.gather(self._prices(account_id, skus), self._available(skus))
        items = tuple(
            AccountProduct(
                account_id=account_id,
                sku=product.sku,
                name=product.name,
                category=product.category,
                unit=product.unit,
                status=product.status,
                price=price,
                available=free,
            )
            for product, price, free in zip(found.items, prices, available, strict=True)
        )
        return Page(items, found.next_cursor)

    async def get_product(self, account_id: AccountId, sku: Sku, *, quantity: Quantity = 1) -> ProductDetail:
        """A product with the account's price for a quantity and what each warehouse has free."""
        product, price, stock = await asyncio.gather(
            self._erp.get_product(sku), self._price(account_id, sku, quantity), self._erp.get_availability(sku)
        )
        return ProductDetail(
            account_id=account_id,
            sku=product.sku,
            name=product.name,
            category=product.category,
            unit=product.unit,
            description=product.description,
            status=product.status,
            weight_g=product.weight_g,
            updated_at=product.updated_at,
            price=price,
            available=stock.available,
            stock=tuple(
                WarehouseStock(warehouse=one.warehouse, available=one.available, third_party=one.third_party)
                for one in stock.positions
            ),
        )

    async def _price(self, account_id: AccountId, sku: Sku, quantity: Quantity) -> AccountPrice | None:
        try:
            price = await self._erp.get_customer_price(account_id, sku, quantity=quantity)
        except NOT_FOR_SALE:
            return None
        return AccountPrice(
            quantity=quantity,
            unit_price=price.unit_price,
            discount_bp=price.discount_bp,
            net=price.net,
            tax_rate_bp=price.tax_rate_bp,
            source=price.source,
        )

    async def _prices(self, account_id: AccountId, skus: tuple[Sku, ...]) -> tuple[AccountPrice | None, ...]:
        try:
            basket = Basket(lines=tuple(BasketLine(sku=sku, quantity=1) for sku in skus))
            priced = await self._erp.price_basket(account_id, basket)
        except (*NOT_FOR_SALE, AmountExceeded, UnknownProduct):
            # The ERP refuses a basket as a whole for one product in it; this page then costs a call a price.
            return await self._prices_one_by_one(account_id, skus)
        return tuple(
            AccountPrice(
                quantity=1,
                unit_price=line.unit_price,
                discount_bp=line.discount_bp,
                net=line.net,
                tax_rate_bp=line.tax_rate_bp,
                source=line.source,
            )
            for line in priced.lines
        )

    async def _prices_one_by_one(self, account_id: AccountId, skus: tuple[Sku, ...]) -> tuple[AccountPrice | None, ...]:
        async def price(sku: Sku) -> AccountPrice | None:
            try:
                return await self._price(account_id, sku, 1)
            except (AmountExceeded, UnknownProduct):
                return None

        return await _bounded(price, skus)

    async def _available(self, skus: tuple[Sku, ...]) -> tuple[Level, ...]:
        totals = await self._erp.total_stock(StockInquiry(skus=skus))
        return tuple(total.available or 0 for total in totals.items)


async def _bounded(ask: Callable[[Sku], Awaitable[Answer]], skus: tuple[Sku, ...]) -> tuple[Answer, ...]:
    answers: list[Answer] = []
    for start in range(0, len(skus), AT_ONCE):
        answers += await asyncio.gather(*(ask(sku) for sku in skus[start : start + AT_ONCE]))
    return tuple(answers)
