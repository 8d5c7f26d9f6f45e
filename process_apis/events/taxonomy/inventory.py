"""What stock is set aside for orders."""

from __future__ import annotations

from msgspec import Struct

from process_apis.events.kind import kind
from system_apis.canonical.values import AccountId, Quantity, RecordId, Sku, WarehouseId


class AllocatedGoods(Struct, frozen=True, kw_only=True):
    """A quantity of a product in one warehouse."""

    sku: Sku
    warehouse: WarehouseId
    quantity: Quantity


class MissingGoods(Struct, frozen=True, kw_only=True):
    """A quantity of a product that is not there yet."""

    sku: Sku
    quantity: Quantity


@kind("inventory.allocated")
class InventoryAllocated(Struct, frozen=True, kw_only=True):
    """Goods are set aside for an order."""

    order_id: RecordId
    account_id: AccountId
    goods: tuple[AllocatedGoods, ...]


@kind("inventory.backordered")
class InventoryBackordered(Struct, frozen=True, kw_only=True):
    """Goods of an order are not there, and are sent when they are."""

    order_id: RecordId
    account_id: AccountId
    goods: tuple[MissingGoods, ...]
