"""What the ERP API needs of an ERP.

Every connector guarantees: a write is done once per reference (the same content again gives the
stored record, other content is ``ReferenceTaken``); an undo is by the reference of what it undoes,
tolerates that nothing is there and bars the reference, so that a late original is ``Tombstoned``;
stock never goes below zero nor below what is reserved; open orders and unpaid invoices of an
account never exceed its limit through a posting, however many are posted at once.

A change of a record takes the account it must belong to: another one is ``NotFound``. Lists are
by rising key, above ``after``. When the ERP can't be reached the connector raises
``SystemUnavailable``; whether the write happened is then found out by its lookup by reference.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from system_apis.canonical.changes import Changes
from system_apis.canonical.entities import (
    Availability,
    CreditStatus,
    CustomerTerms,
    InventoryPosition,
    Invoice,
    Product,
    Reservation,
    Return,
    SalesOrder,
)
from system_apis.canonical.values import AccountId, RecordId, Reference, Sku, WarehouseId
from system_apis.erp.documents import (
    Basket,
    InvoicePayment,
    NewInvoice,
    NewReservation,
    NewReturn,
    NewSalesOrder,
    PricedBasket,
    ReservationPart,
    ReturnInspection,
    StockLevel,
    StockTotal,
)
from system_apis.erp.receivables import (
    CreditMemo,
    NewCreditMemo,
    NewReceivedPayment,
    PaymentApplication,
    ReceivedPayment,
)


class ProductFilter(Struct, frozen=True, kw_only=True):
    """Which products are asked for; None: any."""

    query: str | None = None
    category: str | None = None
    status: Literal["active", "discontinued"] | None = None
    updated_since: datetime | None = None


class DocumentFilter(Struct, frozen=True, kw_only=True):
    """Which orders, invoices or returns are asked for; None: any."""

    account_ids: tuple[AccountId, ...] | None = None
    sales_order_id: RecordId | None = None
    reference: Reference | None = None
    status: str | None = None


class ErpPort(Protocol):
    """An ERP in canonical terms."""

    async def get_product(self, sku: Sku) -> Product:
        """The product with the list price that was put last. Raises ``UnknownProduct``."""
        ...

    async def list_products(self, which: ProductFilter, after: Sku, limit: int) -> tuple[Product, ...]:
        """Products by SKU."""
        ...

    async def put_product(self, product: Product) -> Product:
        """Put a product and its list price; list prices in other currencies stay."""
        ...

    async def price(self, account_id: AccountId, basket: Basket) -> PricedBasket:
        """Price a basket. Raises ``UnknownAccount``, ``UnknownProduct``, ``CurrencyMismatch``, ``NoTaxRate``."""
        ...

    async def get_availability(self, sku: Sku) -> Availability:
        """Stock over all places. Raises ``UnknownProduct``."""
        ...

    async def total_stock(self, skus: tuple[Sku, ...]) -> tuple[StockTotal, ...]:
        """What is free of each product over all places, in the order asked for, from one moment."""
        ...

    async def list_inventory(
        self, sku: Sku | None, warehouse: WarehouseId | None, after: tuple[Sku, WarehouseId], limit: int
    ) -> tuple[InventoryPosition, ...]:
        """Stock positions by SKU and warehouse."""
        ...

    async def put_stock(self, warehouse: WarehouseId, sku: Sku, level: StockLevel) -> InventoryPosition:
        """Put what was counted. Raises ``UnknownProduct``, ``InsufficientStock`` (less than is reserved)."""
        ...

    async def reserve_stock(self, request: NewReservation, reference: Reference) -> Reservation:
        """Set stock aside. Raises ``UnknownProduct``, ``InsufficientStock``, ``ReferenceTaken``, ``Tombstoned``."""
        ...

    async def release_reservation(self, reference: Reference, account_id: AccountId) -> Reservation | None:
        """Undo a reservation; None: there was none, and there won't be one. Raises ``NotFound``, ``WrongState``."""
        ...

    async def consume_reservation(self, reference: Reference, account_id: AccountId) -> Reservation:
        """Post the goods issue. Raises ``NotFound``, ``WrongState``, ``InsufficientStock``."""
        ...

    async def issue_part(self, reference: Reference, part: ReservationPart) -> Reservation:
        """Post the goods issue of one warehouse, once. Raises ``NotFound``, ``WrongState``, ``InsufficientStock``."""
        ...

    async def release_part(self, reference: Reference, part: ReservationPart) -> Reservation:
        """Give back what is set aside in one warehouse, once. Raises ``NotFound``, ``WrongState`` (it was issued)."""
        ...

    async def find_reservation_by_reference(self, reference: Reference) -> Reservation | None:
        """The reservation made under ``reference``."""
        ...

    async def get_terms(self, account_id: AccountId) -> CustomerTerms:
        """The account's terms. Raises ``UnknownAccount``."""
        ...

    async def put_terms(self, agreed: CustomerTerms) -> CustomerTerms:
        """Put an account's terms. Raises ``NoTaxRate``, ``CurrencyMismatch`` (it has open postings)."""
        ...

    async def hold_account(self, account_id: AccountId, on_hold: bool) -> CustomerTerms:
        """Hold an account or let it go, in one change that touches nothing else; its terms. Raises ``UnknownAccount``."""
        ...

    async def get_credit_status(self, account_id: AccountId) -> CreditStatus:
        """Exposure and headroom. Raises ``UnknownAccount``."""
        ...

    async def post_sales_order(self, order: NewSalesOrder, reference: Reference) -> SalesOrder:
        """Post an order against the account's credit.

        Raises:
            UnknownAccount, AccountOnHold, CurrencyMismatch, UnknownProduct, CreditLimitExceeded, ReferenceTaken,
            Tombstoned
        """
        ...

    async def cancel_sales_order(self, reference: Reference, account_id: AccountId) -> SalesOrder | None:
        """Undo an order; None: there was none, and there won't be one. Raises ``NotFound``, ``WrongState``."""
        ...

    async def close_sales_order(self, sales_order_id: RecordId, account_id: AccountId) -> SalesOrder:
        """Cut an order down to what was invoiced, once; one with no invoice is cancelled. Raises ``NotFound``."""
        ...

    async def get_sales_order(self, sales_order_id: RecordId) -> SalesOrder:
        """The order. Raises ``NotFound``."""
        ...

    async def list_sales_orders(
        self, which: DocumentFilter, after: int, limit: int
    ) -> tuple[tuple[int, SalesOrder], ...]:
        """Orders with their key."""
        ...

    async def find_sales_order_by_reference(self, reference: Reference) -> SalesOrder | None:
        """The order posted under ``reference``."""
        ...

    async def post_invoice(self, request: NewInvoice, reference: Reference) -> Invoice:
        """Invoice an order. Raises ``NotFound``, ``WrongState``, ``QuantityExceeded``, ``ReferenceTaken``."""
        ...

    async def get_invoice(self, invoice_id: RecordId) -> Invoice:
        """The invoice. Raises ``NotFound``."""
        ...

    async def list_invoices(self, which: DocumentFilter, after: int, limit: int) -> tuple[tuple[int, Invoice], ...]:
        """Invoices with their key."""
        ...

    async def find_invoice_by_reference(self, reference: Reference) -> Invoice | None:
        """The invoice posted under ``reference``."""
        ...

    async def pay_invoice(self, invoice_id: RecordId, payment: InvoicePayment, reference: Reference) -> Invoice:
        """Post a payment. Raises ``NotFound``, ``AmountExceeded``, ``CurrencyMismatch``, ``ReferenceTaken``."""
        ...

    async def find_invoice_payment_by_reference(self, reference: Reference) -> InvoicePayment | None:
        """The payment posted under ``reference``."""
        ...

    async def post_credit_memo(self, request: NewCreditMemo, reference: Reference) -> CreditMemo:
        """Credit an invoice, never above what is left of it.

        Raises:
            NotFound, AmountExceeded, QuantityExceeded, CurrencyMismatch, ReferenceTaken, Tombstoned
        """
        ...

    async def cancel_credit_memo(self, reference: Reference, account_id: AccountId) -> CreditMemo | None:
        """Undo a credit; None: there was none, and there won't be one. Raises ``NotFound``."""
        ...

    async def get_credit_memo(self, credit_memo_id: RecordId) -> CreditMemo:
        """The credit memo. Raises ``NotFound``."""
        ...

    async def list_credit_memos(
        self, which: DocumentFilter, invoice_id: RecordId | None, after: int, limit: int
    ) -> tuple[tuple[int, CreditMemo], ...]:
        """Credit memos with their key; ``invoice_id`` None: of any invoice."""
        ...

    async def find_credit_memo_by_reference(self, reference: Reference) -> CreditMemo | None:
        """The credit memo posted under ``reference``."""
        ...

    async def record_payment(self, request: NewReceivedPayment, reference: Reference) -> ReceivedPayment:
        """Post money received and put it to invoices.

        Raises:
            UnknownAccount, CurrencyMismatch, NotFound, AmountExceeded, ReferenceTaken, Tombstoned
        """
        ...

    async def apply_payment(
        self, payment_id: RecordId, request: PaymentApplication, reference: Reference
    ) -> ReceivedPayment:
        """Put what is unapplied of a payment to invoices.

        Raises:
            NotFound, WrongState, CurrencyMismatch, AmountExceeded, ReferenceTaken
        """
        ...

    async def cancel_received_payment(self, reference: Reference, account_id: AccountId) -> ReceivedPayment | None:
        """Undo a payment, whose invoices are open again; None: there was none, and won't be. Raises ``NotFound``."""
        ...

    async def get_received_payment(self, payment_id: RecordId) -> ReceivedPayment:
        """The payment. Raises ``NotFound``."""
        ...

    async def list_received_payments(
        self, which: DocumentFilter, after: int, limit: int
    ) -> tuple[tuple[int, ReceivedPayment], ...]:
        """Payments with their key."""
        ...

    async def find_received_payment_by_reference(self, reference: Reference) -> ReceivedPayment | None:
        """The payment recorded under ``reference``."""
        ...

    async def find_payment_application_by_reference(self, reference: Reference) -> ReceivedPayment | None:
        """The payment of which something was put to invoices under ``reference``."""
        ...

    async def create_return(self, request: NewReturn, reference: Reference) -> Return:
        """Authorise a return.

        Raises:
            NotFound, WrongState, QuantityExceeded, ReferenceTaken
            Tombstoned: the reference was cancelled before.
        """
        ...

    async def get_return(self, return_id: RecordId) -> Return:
        """The return. Raises ``NotFound``."""
        ...

    async def list_returns(self, which: DocumentFilter, after: int, limit: int) -> tuple[tuple[int, Return], ...]:
        """Returns with their key."""
        ...

    async def find_return_by_reference(self, reference: Reference) -> Return | None:
        """The return authorised under ``reference``."""
        ...

    async def receive_return(self, return_id: RecordId, account_id: AccountId) -> Return:
        """Take the goods into stock and credit the invoices, as far as they are not credited. Raises ``NotFound``."""
        ...

    async def inspect_return(self, return_id: RecordId, inspection: ReturnInspection, reference: Reference) -> Return:
        """Put what can be sold again into stock, and give back to the order what was not accepted.

        Raises:
            NotFound, WrongState, QuantityExceeded, ReferenceTaken
        """
        ...

    async def find_return_inspection_by_reference(self, reference: Reference) -> Return | None:
        """The return inspected under ``reference``."""
        ...

    async def credit_return(self, return_id: RecordId, account_id: AccountId) -> Return:
        """Credit the invoices for what was accepted, once and as far as they are not credited; ``credit`` is then that.

        Raises:
            NotFound, WrongState before inspection
        """
        ...

    async def cancel_return(self, reference: Reference, account_id: AccountId) -> Return | None:
        """Undo the return of ``reference``; None: there was none, and there won't be one.

        Raises:
            NotFound: the return of this reference belongs to another account.
            WrongState: goods of it were inspected already.
        """
        ...

    async def list_changes(self, after: int, limit: int) -> Changes:
        """Up to ``limit`` changes above ``after``, each written with the change itself: prices, what is free in a warehouse, and invoices.

        A record that changed is among them before or as soon as its new state is read.
        """
        ...
