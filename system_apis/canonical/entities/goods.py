"""Products, their prices and stock, and what is set aside of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from system_apis.canonical.values import (
    AccountId,
    BasisPoints,
    Level,
    Money,
    Name,
    Quantity,
    RecordId,
    Reference,
    Sku,
    Text,
    UnitPrice,
    WarehouseId,
)


class Product(Struct, frozen=True, kw_only=True):
    """A thing the company sells. A discontinued product sells while stock lasts."""

    sku: Sku
    name: Name
    category: Name
    unit: Name
    list_price: UnitPrice
    description: Text = ""
    tax_category: Literal["standard", "reduced", "zero"] = "standard"
    status: Literal["active", "discontinued"] = "active"
    weight_g: Level = 0
    updated_at: datetime | None = None


class CustomerPrice(Struct, frozen=True, kw_only=True):
    """The price of one product for one account and quantity, and where it came from."""

    sku: Sku
    account_id: AccountId
    quantity: Quantity
    unit_price: UnitPrice
    discount_bp: BasisPoints
    net: Money
    tax_rate_bp: BasisPoints
    source: Literal["list", "volume", "contract", "agreed"]


class InventoryPosition(Struct, frozen=True, kw_only=True):
    """Stock of one product in one place; ``available`` is on hand less reserved, never negative."""

    sku: Sku
    warehouse: WarehouseId
    on_hand: Level
    reserved: Level
    available: Level
    third_party: bool = False


class Availability(Struct, frozen=True, kw_only=True):
    """Stock of one product over all places."""

    sku: Sku
    available: Level
    positions: tuple[InventoryPosition, ...]


class Allocation(Struct, frozen=True, kw_only=True):
    """``quantity`` of ``sku`` taken from ``warehouse``."""

    sku: Sku
    warehouse: WarehouseId
    quantity: Quantity


class Reservation(Struct, frozen=True, kw_only=True):
    """Stock set aside under a reference until released, consumed by a shipment, or expired."""

    reservation_id: RecordId
    reference: Reference
    account_id: AccountId
    allocations: tuple[Allocation, ...]
    status: Literal["held", "released", "consumed", "expired"]
    expires_at: datetime
