"""What takes off what customers owe: credit memos against invoices, and money received at the bank.

Amounts are minor units with tax. A credit memo is never above what is left of its invoice; money
received is never lost: what no invoice takes stays unapplied to the account's credit.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from system_apis.canonical.values import AccountId, Money, Quantity, RecordId, Reference, Sku, Text
from system_apis.erp.documents import LineNo

BankReference = Annotated[str, Meta(max_length=140, description="What the payer wrote on the transfer.")]


class CreditedQuantity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units of an invoice's line to credit; they do not come back."""

    line_no: LineNo
    quantity: Quantity


class NewCreditMemo(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A credit to post against an invoice: for units, for an amount with tax, or for all that is left of it."""

    account_id: AccountId
    invoice_id: RecordId
    lines: Annotated[tuple[CreditedQuantity, ...], Meta(min_length=1, max_length=1_000)] | None = None
    amount: Money | None = None
    reason: Text = ""

    def __post_init__(self) -> None:
        if self.lines is not None and self.amount is not None:
            raise ValueError("name units or an amount, not both")
        if self.amount is not None and self.amount.amount_minor <= 0:
            raise ValueError("a credit must be above zero")


class CreditMemoLine(Struct, frozen=True, kw_only=True):
    """Units of an invoice's line that were credited, and what they were invoiced at."""

    line_no: LineNo
    sku: Sku
    quantity: Quantity
    net: Money
    tax_rate_bp: int


class CreditMemo(Struct, frozen=True, kw_only=True):
    """A credit as the ERP posted it. ``reference`` is unique in the ERP."""

    credit_memo_id: RecordId
    reference: Reference
    account_id: AccountId
    invoice_id: RecordId
    sales_order_id: RecordId
    status: Literal["posted", "cancelled"]
    lines: tuple[CreditMemoLine, ...]
    """Empty for a credit of an amount."""
    net: Money
    tax: Money
    total: Money
    to_refund: Money
    """What of it was paid already, so that the customer has it to come."""
    reason: Text
    posted_at: datetime


class CreditMemoCancelResult(Struct, frozen=True, kw_only=True):
    """The reference is no credit. ``nothing_to_cancel``: it never was, and a late original is refused."""

    reference: Reference
    account_id: AccountId
    outcome: Literal["cancelled", "nothing_to_cancel"]
    credit_memo_id: RecordId | None = None


class PaymentAllocation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of the money is for which invoice."""

    invoice_id: RecordId
    amount: Money

    def __post_init__(self) -> None:
        if self.amount.amount_minor <= 0:
            raise ValueError("an allocation must be above zero")


Allocations = Annotated[tuple[PaymentAllocation, ...], Meta(max_length=1_000)]


class NewReceivedPayment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money that came from an account. ``allocations`` None: for its open invoices, the oldest first."""

    account_id: AccountId
    amount: Money
    bank_reference: BankReference = ""
    allocations: Allocations | None = None

    def __post_init__(self) -> None:
        if self.amount.amount_minor <= 0:
            raise ValueError("a payment must be above zero")


class PaymentApplication(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Invoices for the unapplied part of a payment; ``allocations`` None: the open ones, the oldest first."""

    account_id: AccountId
    allocations: Allocations | None = None


class ReceivedPayment(Struct, frozen=True, kw_only=True):
    """Money received and what became of it: ``unapplied`` is to the account's credit."""

    received_payment_id: RecordId
    reference: Reference
    account_id: AccountId
    status: Literal["recorded", "cancelled"]
    amount: Money
    allocations: tuple[PaymentAllocation, ...]
    unapplied: Money
    bank_reference: str
    received_at: datetime


class ReceivedPaymentCancelResult(Struct, frozen=True, kw_only=True):
    """The reference is no payment. ``nothing_to_cancel``: it never was, and a late original is refused."""

    reference: Reference
    account_id: AccountId
    outcome: Literal["cancelled", "nothing_to_cancel"]
    received_payment_id: RecordId | None = None
