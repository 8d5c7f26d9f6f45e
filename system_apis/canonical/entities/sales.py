"""What is sold on which terms: credit, sales orders, invoices and returns."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from system_apis.canonical.entities.goods import Allocation
from system_apis.canonical.values import (
    AccountId,
    Address,
    BasisPoints,
    Country,
    Currency,
    Money,
    Quantity,
    RecordId,
    Reference,
    Sku,
    Text,
    UnitPrice,
)


class CustomerTerms(Struct, frozen=True, kw_only=True):
    """What finance agreed with an account: currency, terms, limit, discount and tax treatment."""

    account_id: AccountId
    currency: Currency
    payment_terms: Literal["prepaid_card", "net_14", "net_30", "net_60"] = "net_30"
    credit_limit: Money | None = None
    """None: no limit is set."""
    discount_bp: BasisPoints = 0
    tax_treatment: Literal["standard", "reverse_charge", "export", "exempt"] = "standard"
    tax_country: Country = "DE"
    on_hold: bool = False


class CreditStatus(Struct, frozen=True, kw_only=True):
    """How much an account may still order on account. ``headroom`` None: no limit is set."""

    account_id: AccountId
    exposure: Money
    limit: Money | None
    headroom: Money | None
    on_hold: bool


class SalesOrderLine(Struct, frozen=True, kw_only=True):
    """One line of the ERP's order with its price as posted."""

    line_no: Quantity
    sku: Sku
    quantity: Quantity
    unit_price: UnitPrice
    discount_bp: BasisPoints
    net: Money
    tax_rate_bp: BasisPoints


class SalesOrder(Struct, frozen=True, kw_only=True):
    """An order as the ERP posted it. ``reference`` is unique in the ERP."""

    sales_order_id: RecordId
    reference: Reference
    account_id: AccountId
    status: Literal["posted", "cancelled", "invoiced"]
    currency: Currency
    lines: tuple[SalesOrderLine, ...]
    net: Money
    tax: Money
    total: Money
    ship_to: Address
    customer_reference: str
    posted_at: datetime


class InvoiceLine(Struct, frozen=True, kw_only=True):
    """One invoiced line."""

    line_no: Quantity
    sku: Sku
    quantity: Quantity
    net: Money
    tax_rate_bp: BasisPoints


class Invoice(Struct, frozen=True, kw_only=True):
    """An invoice as the ERP posted it."""

    invoice_id: RecordId
    reference: Reference
    sales_order_id: RecordId
    account_id: AccountId
    status: Literal["open", "paid", "credited"]
    lines: tuple[InvoiceLine, ...]
    net: Money
    tax: Money
    total: Money
    paid: Money
    issued_at: datetime
    due_on: date
    credited: Money | None = None
    """What returns took off the total; None: nothing."""


class Return(Struct, frozen=True, kw_only=True):
    """Goods that come back, and the credit for them."""

    return_id: RecordId
    reference: Reference
    sales_order_id: RecordId
    account_id: AccountId
    lines: tuple[Allocation, ...]
    reason: Text
    status: Literal["authorised", "received", "credited", "cancelled"]
    credit: Money
    created_at: datetime
    credit_memo_ids: tuple[RecordId, ...] = ()
    """What it was credited by, once it was inspected and credited."""
