"""Answers of catalogue v1. This version owns all of them; no cost and no reservation is among them."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from system_apis.canonical.values import (
    AccountId,
    BasisPoints,
    Level,
    Money,
    Name,
    Quantity,
    Sku,
    Text,
    UnitPrice,
    WarehouseId,
)


class Product(Struct, frozen=True, kw_only=True):
    """A product at its list price, the same for everybody."""

    sku: Sku
    name: Name
    category: Name
    unit: Name
    list_price: UnitPrice
    description: Text
    status: str
    """``active`` or ``discontinued``, which sells while stock lasts; an open list of words."""
    weight_g: Level
    updated_at: datetime | None


class AccountPrice(Struct, frozen=True, kw_only=True):
    """What ``quantity`` units cost an account, before tax: ``net`` is ``unit_price`` times quantity less the discount."""

    quantity: Quantity
    unit_price: UnitPrice
    discount_bp: BasisPoints
    net: Money
    tax_rate_bp: BasisPoints
    source: str
    """``list``, ``volume`` or ``contract``; an open list of words."""


class AccountProduct(Struct, frozen=True, kw_only=True):
    """A product as an account sees it in a list: one unit's price, and what all warehouses have free."""

    account_id: AccountId
    sku: Sku
    name: Name
    category: Name
    unit: Name
    status: str
    price: AccountPrice | None
    """None: not for sale to this account, such as without a price in its currency."""
    available: Level


class WarehouseStock(Struct, frozen=True, kw_only=True):
    """What one place has free of a product."""

    warehouse: WarehouseId
    available: Level
    third_party: bool


class ProductDetail(Struct, frozen=True, kw_only=True):
    """A product with everything an account may know of it."""

    account_id: AccountId
    sku: Sku
    name: Name
    category: Name
    unit: Name
    description: Text
    status: str
    weight_g: Level
    updated_at: datetime | None
    price: AccountPrice | None
    """None: not for sale to this account, such as without a price in its currency."""
    available: Level
    stock: tuple[WarehouseStock, ...]
