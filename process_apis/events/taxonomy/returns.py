"""What happens to goods that come back."""

from __future__ import annotations

from msgspec import Struct

from process_apis.events.kind import kind
from system_apis.canonical.values import AccountId, Money, Quantity, RecordId, Sku, Text


class ReturnedGoods(Struct, frozen=True, kw_only=True):
    """A quantity of a product that comes back."""

    sku: Sku
    quantity: Quantity


@kind("return.initiated")
class ReturnInitiated(Struct, frozen=True, kw_only=True):
    """A customer may send goods back."""

    return_id: RecordId
    order_id: RecordId
    account_id: AccountId
    goods: tuple[ReturnedGoods, ...]
    reason: Text = ""


@kind("return.received")
class ReturnReceived(Struct, frozen=True, kw_only=True):
    """Goods came back."""

    return_id: RecordId
    order_id: RecordId
    account_id: AccountId
    goods: tuple[ReturnedGoods, ...]


@kind("return.credited")
class ReturnCredited(Struct, frozen=True, kw_only=True):
    """The customer has the money for what came back."""

    return_id: RecordId
    order_id: RecordId
    account_id: AccountId
    amount: Money
