"""Catalogue, version 1: products, and what they cost and where they are for one account."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Protocol

from msgspec import Meta

from governance.contract import Contract, Cursor, Limit, Page, by, read, search
from process_apis.catalogue.v1.model import AccountProduct, Product, ProductDetail
from system_apis.canonical.refusals import AmountExceeded, UnknownAccount, UnknownProduct
from system_apis.canonical.values import AccountId, Name, Quantity, Sku, Text

Instant = Annotated[datetime, Meta(tz=True)]
SCOPE = "catalogue.products:read"


class CatalogueV1(Contract, Protocol, owner="Product information"):
    """Products for whoever sells them: searched, priced for an account, with live stock."""

    @search("/products", scope=SCOPE, public_because="Products and list prices are the same for everybody.")
    async def list_products(
        self,
        *,
        query: Text | None = None,
        category: Name | None = None,
        status: Literal["active", "discontinued"] | None = None,
        updated_since: Instant | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Product]:
        """Products by SKU at their list prices.

        `query` is looked for in SKU, name and description, without regard to case.
        """
        ...

    @search("/accounts/{account_id}/products", scope=SCOPE, raises=[UnknownAccount], visible=by("account_id"))
    async def list_account_products(
        self,
        account_id: AccountId,
        *,
        query: Text | None = None,
        category: Name | None = None,
        status: Literal["active", "discontinued"] | None = None,
        updated_since: Instant | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[AccountProduct]:
        """Products by SKU with the account's price of one unit and what is available.

        A product that has no price for the account stays in the list, without one.
        """
        ...

    @read(
        "/accounts/{account_id}/products/{sku}",
        scope=SCOPE,
        raises=[UnknownProduct, UnknownAccount, AmountExceeded],
        visible=by("account_id"),
    )
    async def get_product(self, account_id: AccountId, sku: Sku, *, quantity: Quantity = 1) -> ProductDetail:
        """A product with the account's price for a quantity and what each warehouse has free."""
        ...
