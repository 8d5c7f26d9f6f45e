"""What is asked of an ERP and what it answers beyond the canonical entities.

A posting's amounts are checked when the Struct is made: a line whose net is not its price times
its quantity less its discount, rounded half-up, can't travel in any binding.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from system_apis.canonical.entities import Reservation
from system_apis.canonical.values import (
    AMOUNT_LIMIT,
    AccountId,
    Address,
    BasisPoints,
    Country,
    Currency,
    Level,
    Money,
    Quantity,
    RecordId,
    Reference,
    Sku,
    Text,
    UnitPrice,
    WarehouseId,
)

LineNo = Annotated[int, Meta(ge=1, le=10_000, description="Number of the line in its document, from 1.")]
HoldSeconds = Annotated[int, Meta(ge=1, le=31_536_000, description="How long the stock stays set aside, in seconds.")]
Lines = Meta(min_length=1, max_length=1_000)


class StockLevel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What lies on hand in one place. ``country`` None keeps the country that the place has."""

    on_hand: Level
    third_party: bool = False
    country: Country | None = None


class BasketLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One product to price; an agreed price or discount of inside sales goes before every rule."""

    sku: Sku
    quantity: Quantity
    agreed_price: UnitPrice | None = None
    agreed_discount_bp: BasisPoints | None = None


class Basket(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lines to price together. ``currency`` None: the account's; any other is refused."""

    lines: Annotated[tuple[BasketLine, ...], Lines]
    currency: Currency | None = None
    consumer_in: Country | None = None
    """Taxed as a consumer in this country pays it; None: as the account's terms say."""


class PricedLine(Struct, frozen=True, kw_only=True):
    """One line with its price and where the price came from."""

    line_no: LineNo
    sku: Sku
    quantity: Quantity
    unit_price: UnitPrice
    discount_bp: BasisPoints
    net: Money
    tax_rate_bp: BasisPoints
    source: Literal["list", "volume", "contract", "agreed"]
    category: str = ""
    """The product's."""


class PricedBasket(Struct, frozen=True, kw_only=True):
    """A basket's price: ``net`` is the sum of the lines, ``tax`` is per rate on the sum per rate."""

    account_id: AccountId
    currency: Currency
    lines: tuple[PricedLine, ...]
    net: Money
    tax: Money
    total: Money


class StockLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A quantity of one product."""

    sku: Sku
    quantity: Quantity
    from_warehouses: Annotated[tuple[WarehouseId, ...], Meta(max_length=50)] = ()
    """Only from these, the first that has all of it before any other; empty: from any."""


class StockInquiry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Products whose stock is asked for together."""

    skus: Annotated[tuple[Sku, ...], Lines]


class StockTotal(Struct, frozen=True, kw_only=True):
    """What is free of one product over all places. ``available`` None: there is no such product."""

    sku: Sku
    available: Level | None


class StockTotals(Struct, frozen=True, kw_only=True):
    """One total for each product that was asked for, in that order."""

    items: tuple[StockTotal, ...]


class NewReservation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Stock to set aside for an account, all of it or nothing."""

    account_id: AccountId
    lines: Annotated[tuple[StockLine, ...], Lines]
    ship_country: Country
    expires_in_s: HoldSeconds = 86_400
    partial: bool = False
    """As much as there is, instead of all of it or nothing; refused only when nothing is there."""

    @property
    def routed(self) -> bool:
        """Whether it has wishes beyond quantities."""
        return self.partial or any(line.from_warehouses for line in self.lines)


class ReservationPart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a reservation holds in one warehouse, and whose it must be."""

    account_id: AccountId
    warehouse: WarehouseId


class AccountHold(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether an account is on hold."""

    on_hold: bool


class ForAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose record it is: named in every change by identifier, so that ownership is judged before the change."""

    account_id: AccountId


class ReleaseResult(Struct, frozen=True, kw_only=True):
    """The reference holds no stock. ``nothing_to_release``: it never did, and a late original is refused."""

    reference: Reference
    account_id: AccountId
    outcome: Literal["released", "nothing_to_release"]
    reservation: Reservation | None = None


class CancelResult(Struct, frozen=True, kw_only=True):
    """The reference is no order. ``nothing_to_cancel``: it never was, and a late original is refused."""

    reference: Reference
    account_id: AccountId
    outcome: Literal["cancelled", "nothing_to_cancel"]
    sales_order_id: RecordId | None = None


class NewSalesOrderLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line at the price it was sold for; lines are numbered from 1 in their order."""

    sku: Sku
    quantity: Quantity
    unit_price: UnitPrice
    net: Money
    discount_bp: BasisPoints = 0
    tax_rate_bp: BasisPoints = 0

    def __post_init__(self) -> None:
        right = self.unit_price.of(self.quantity, self.discount_bp)
        if self.net != right:
            raise ValueError(f"net must be {right.amount_minor} {right.currency}: price times quantity less discount")


class NewSalesOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order to post. A prepaid one is paid by card and takes no credit."""

    account_id: AccountId
    customer_reference: Reference
    currency: Currency
    lines: Annotated[tuple[NewSalesOrderLine, ...], Lines]
    ship_to: Address
    prepaid: bool = False

    def __post_init__(self) -> None:
        if any(line.net.currency != self.currency for line in self.lines):
            raise ValueError(f"every line must be in the order's currency {self.currency}")
        if sum(line.net.amount_minor for line in self.lines) > AMOUNT_LIMIT // 2:
            raise ValueError("the order is worth more than one order may be")


class NewInvoiceLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of an order's line to invoice."""

    line_no: LineNo
    quantity: Quantity


class NewInvoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An invoice to post. ``lines`` None: everything of the order that is not invoiced yet."""

    account_id: AccountId
    sales_order_id: RecordId
    lines: Annotated[tuple[NewInvoiceLine, ...], Lines] | None = None


class InvoicePayment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money received for an invoice."""

    account_id: AccountId
    amount: Money

    def __post_init__(self) -> None:
        if self.amount.amount_minor <= 0:
            raise ValueError("a payment must be above zero")


class NewReturnLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Goods that come back, and the warehouse they come back to."""

    sku: Sku
    warehouse: WarehouseId
    quantity: Quantity


class NewReturn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A return to authorise against an invoiced order."""

    account_id: AccountId
    sales_order_id: RecordId
    lines: Annotated[tuple[NewReturnLine, ...], Lines]
    reason: Text = ""


class InspectedLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was accepted of a product: ``restocked`` units can be sold again, ``scrapped`` ones can't."""

    sku: Sku
    warehouse: WarehouseId
    restocked: Level = 0
    scrapped: Level = 0


class ReturnInspection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The result of looking at returned goods; what is not in it was not accepted, or did not come."""

    account_id: AccountId
    lines: Annotated[tuple[InspectedLine, ...], Meta(max_length=500)]


class ReturnCancelResult(Struct, frozen=True, kw_only=True):
    """The reference is undone. ``nothing_to_cancel``: it never was, and a late original is refused."""

    reference: Reference
    account_id: AccountId
    outcome: Literal["cancelled", "nothing_to_cancel"]
    return_id: RecordId | None = None
