"""ERP, version 1: products, prices, stock, credit, sales orders, invoices and returns."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

from governance.contract import Contract, Cursor, Limit, Page, action, by, create, read, replace, search
from system_apis.canonical.changes import NAMES_RECORDS, ChangeLimit, ChangePosition, Changes
from system_apis.canonical.entities import (
    Availability,
    CreditStatus,
    CustomerPrice,
    CustomerTerms,
    InventoryPosition,
    Invoice,
    Product,
    Reservation,
    Return,
    SalesOrder,
)
from system_apis.canonical.refusals import (
    AccountOnHold,
    AmountExceeded,
    CreditLimitExceeded,
    CurrencyMismatch,
    InsufficientStock,
    NoTaxRate,
    QuantityExceeded,
    ReferenceTaken,
    Tombstoned,
    UnknownAccount,
    UnknownProduct,
    WrongState,
)
from system_apis.canonical.values import AccountId, Name, Quantity, RecordId, Reference, Sku, Text, WarehouseId
from system_apis.erp.v1.model import (
    AccountHold,
    Basket,
    CancelResult,
    CreditMemo,
    CreditMemoCancelResult,
    ForAccount,
    InvoicePayment,
    NewCreditMemo,
    NewInvoice,
    NewReceivedPayment,
    NewReservation,
    NewReturn,
    NewSalesOrder,
    PaymentApplication,
    PricedBasket,
    ReceivedPayment,
    ReceivedPaymentCancelResult,
    ReleaseResult,
    ReservationPart,
    ReturnCancelResult,
    ReturnInspection,
    StockInquiry,
    StockLevel,
    StockTotals,
)

ACCOUNTS = by("account_id")
MASTER_DATA = "Products and stock are the company's own and belong to no account."
PRICE_REFUSALS = [UnknownProduct, UnknownAccount, CurrencyMismatch, NoTaxRate, AmountExceeded]
ORDER_REFUSALS = [
    UnknownAccount, AccountOnHold, CurrencyMismatch, UnknownProduct, CreditLimitExceeded, ReferenceTaken, Tombstoned,
]  # fmt: skip


class ErpV1(Contract, Protocol, owner="Finance systems"):
    """Products, prices, stock, credit, sales orders, invoices and returns of the company's ERP.

    The idempotency key of a create or action becomes the record's unique reference in the ERP.
    """

    @read("/products/{sku}", scope="erp.products:read", raises=[UnknownProduct], public_because=MASTER_DATA)
    async def get_product(self, sku: Sku) -> Product:
        """A product with its list price."""
        ...

    @search("/products", scope="erp.products:read", public_because=MASTER_DATA)
    async def list_products(
        self,
        *,
        query: Text | None = None,
        category: Name | None = None,
        status: Literal["active", "discontinued"] | None = None,
        updated_since: datetime | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Product]:
        """Products by SKU.

        `query` is looked for in SKU, name and description, without regard to case.
        """
        ...

    @replace("/products/{sku}", scope="erp.products:write", upsert=True, public_because=MASTER_DATA)
    async def put_product(self, sku: Sku, product: Product) -> Product:
        """Put a product and its list price; list prices in other currencies stay."""
        ...

    @read("/customers/{account_id}/prices/{sku}", scope="erp.prices:read", raises=PRICE_REFUSALS, visible=ACCOUNTS)
    async def get_customer_price(self, account_id: AccountId, sku: Sku, *, quantity: Quantity = 1) -> CustomerPrice:
        """The price of a product for an account and a quantity."""
        ...

    @action(
        "/customers/{account_id}/price-basket",
        scope="erp.prices:read",
        raises=PRICE_REFUSALS,
        visible=ACCOUNTS,
        idempotent_because="Computes a price; writes nothing.",
    )
    async def price_basket(self, account_id: AccountId, basket: Basket) -> PricedBasket:
        """Price lines together, with tax.

        Contract prices go before volume breaks, volume breaks before list prices; the account's
        discount applies to the last two. Agreed prices and discounts go before all of them. Each
        line is rounded half-up once; tax is per rate on the sum of the lines of that rate.
        """
        ...

    @read("/availability/{sku}", scope="erp.stock:read", raises=[UnknownProduct], public_because=MASTER_DATA)
    async def get_availability(self, sku: Sku) -> Availability:
        """Stock of a product over all warehouses."""
        ...

    @action(
        "/availability/totals",
        scope="erp.stock:read",
        public_because=MASTER_DATA,
        idempotent_because="Reads stock; writes nothing.",
    )
    async def total_stock(self, inquiry: StockInquiry) -> StockTotals:
        """What is free of many products at one moment, a total each."""
        ...

    @search("/inventory", scope="erp.stock:read", public_because=MASTER_DATA)
    async def list_inventory(
        self,
        *,
        sku: Sku | None = None,
        warehouse: WarehouseId | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[InventoryPosition]:
        """Stock positions by SKU and warehouse."""
        ...

    @replace(
        "/inventory/{warehouse}/{sku}",
        scope="erp.stock:write",
        raises=[UnknownProduct, InsufficientStock],
        upsert=True,
        public_because=MASTER_DATA,
    )
    async def put_stock(self, warehouse: WarehouseId, sku: Sku, stock: StockLevel) -> InventoryPosition:
        """Put what was counted in a place.

        Refused as insufficient when it is less than what is reserved there. A new place is opened by its first stock.
        """
        ...

    @create(
        "/reservations",
        scope="erp.reservations:write",
        raises=[UnknownProduct, InsufficientStock, ReferenceTaken, Tombstoned],
        visible=ACCOUNTS,
        location="/reservations/{reference}",
    )
    async def reserve_stock(self, reservation: NewReservation) -> Reservation:
        """Set stock aside, all of it or nothing.

        Taken from one warehouse that covers everything, the nearest to the destination, own ones
        before third parties; else split over as few as possible. It expires by itself.
        """
        ...

    @read("/reservations/{reference}", scope="erp.reservations:read", visible=ACCOUNTS)
    async def get_reservation(self, reference: RecordId) -> Reservation:
        """The reservation made under a reference."""
        ...

    @action("/reservations/{reference}/release", scope="erp.reservations:write", raises=[WrongState], visible=ACCOUNTS)
    async def release_reservation(self, reference: RecordId, release: ForAccount) -> ReleaseResult:
        """Undo the reservation made under a reference.

        Safe when there is none: the reference is then barred, so that a late original is refused.
        Refused as a wrong state once the goods were issued.
        """
        ...

    @action(
        "/reservations/{reference}/consume",
        scope="erp.reservations:write",
        raises=[WrongState, InsufficientStock],
        visible=ACCOUNTS,
    )
    async def consume_reservation(self, reference: RecordId, consume: ForAccount) -> Reservation:
        """Post the goods issue: what was reserved leaves the stock.

        Done once however often it is asked. An expired reservation takes the same stock again if
        it is still free.
        """
        ...

    @action(
        "/reservations/{reference}/issue-part",
        scope="erp.reservations:write",
        raises=[WrongState, InsufficientStock],
        visible=ACCOUNTS,
    )
    async def issue_part(self, reference: RecordId, part: ReservationPart) -> Reservation:
        """Post the goods issue of one warehouse's part; the other parts stay set aside.

        Done once however often it is asked.
        """
        ...

    @action(
        "/reservations/{reference}/release-part", scope="erp.reservations:write", raises=[WrongState], visible=ACCOUNTS
    )
    async def release_part(self, reference: RecordId, part: ReservationPart) -> Reservation:
        """Give back what is set aside in one warehouse; the other parts stay.

        Done once however often it is asked. Refused as a wrong state once its goods were issued.
        """
        ...

    @read("/customers/{account_id}/terms", scope="erp.terms:read", raises=[UnknownAccount], visible=ACCOUNTS)
    async def get_terms(self, account_id: AccountId) -> CustomerTerms:
        """What finance agreed with an account."""
        ...

    @replace(
        "/customers/{account_id}/terms",
        scope="erp.terms:write",
        raises=[NoTaxRate, CurrencyMismatch],
        upsert=True,
        visible=ACCOUNTS,
    )
    async def put_terms(self, account_id: AccountId, terms: CustomerTerms) -> CustomerTerms:
        """Put what finance agreed with an account.

        The currency of an account with open postings can't change.
        """
        ...

    @action("/customers/{account_id}/hold", scope="erp.terms:write", raises=[UnknownAccount], visible=ACCOUNTS)
    async def hold_account(self, account_id: AccountId, hold: AccountHold) -> CustomerTerms:
        """Sell nothing more to an account, or sell to it again; the terms, as they are then.

        Whatever else was agreed stays, also what somebody puts at the same moment. The same again changes nothing.
        """
        ...

    @read("/customers/{account_id}/credit", scope="erp.credit:read", raises=[UnknownAccount], visible=ACCOUNTS)
    async def get_credit_status(self, account_id: AccountId) -> CreditStatus:
        """Exposure, limit and headroom of an account.

        Exposure is open orders plus unpaid invoices; prepaid orders don't count.
        """
        ...

    @create(
        "/sales-orders",
        scope="erp.sales-orders:write",
        raises=ORDER_REFUSALS,
        visible=ACCOUNTS,
        location="/sales-orders/{sales_order_id}",
    )
    async def post_sales_order(self, order: NewSalesOrder) -> SalesOrder:
        """Post a sales order against the account's credit.

        The check of the headroom and the posting are one: orders posted at once never exceed the limit together.
        """
        ...

    @read("/sales-orders/{sales_order_id}", scope="erp.sales-orders:read", visible=ACCOUNTS)
    async def get_sales_order(self, sales_order_id: RecordId) -> SalesOrder:
        """A sales order."""
        ...

    @search("/sales-orders", scope="erp.sales-orders:read", visible=ACCOUNTS)
    async def list_sales_orders(
        self,
        *,
        account_id: AccountId | None = None,
        reference: Reference | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[SalesOrder]:
        """Sales orders, oldest first, by account or reference."""
        ...

    @action("/sales-orders/{reference}/cancel", scope="erp.sales-orders:write", raises=[WrongState], visible=ACCOUNTS)
    async def cancel_sales_order(self, reference: RecordId, cancel: ForAccount) -> CancelResult:
        """Undo the sales order posted under a reference.

        Safe when there is none: the reference is then barred, so that a late original is refused.
        Refused as a wrong state once anything of it was invoiced.
        """
        ...

    @action("/sales-orders/{sales_order_id}/close", scope="erp.sales-orders:write", visible=ACCOUNTS)
    async def close_sales_order(self, sales_order_id: RecordId, close: ForAccount) -> SalesOrder:
        """Give up what is not invoiced of an order, and the credit that it took.

        The order is cut down to what was invoiced; one with no invoice is cancelled. Done once
        however often it is asked.
        """
        ...

    @create(
        "/invoices",
        scope="erp.invoices:write",
        raises=[WrongState, QuantityExceeded, ReferenceTaken],
        visible=ACCOUNTS,
        location="/invoices/{invoice_id}",
    )
    async def post_invoice(self, invoice: NewInvoice) -> Invoice:
        """Invoice a sales order, or some of its lines.

        The last invoice of an order takes what is left of its amounts, so that all of them together equal the order.
        """
        ...

    @read("/invoices/{invoice_id}", scope="erp.invoices:read", visible=ACCOUNTS)
    async def get_invoice(self, invoice_id: RecordId) -> Invoice:
        """An invoice and what is paid of it."""
        ...

    @search("/invoices", scope="erp.invoices:read", visible=ACCOUNTS)
    async def list_invoices(
        self,
        *,
        account_id: AccountId | None = None,
        sales_order_id: RecordId | None = None,
        reference: Reference | None = None,
        status: Literal["open", "paid", "credited"] | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Invoice]:
        """Invoices, oldest first, by account, order, reference or status."""
        ...

    @action(
        "/invoices/{invoice_id}/pay",
        scope="erp.invoices:write",
        raises=[AmountExceeded, CurrencyMismatch, ReferenceTaken],
        visible=ACCOUNTS,
    )
    async def pay_invoice(self, invoice_id: RecordId, payment: InvoicePayment) -> Invoice:
        """Post money received for an invoice."""
        ...

    @create(
        "/credit-memos",
        scope="erp.credit-memos:write",
        raises=[AmountExceeded, QuantityExceeded, CurrencyMismatch, ReferenceTaken, Tombstoned],
        visible=ACCOUNTS,
        location="/credit-memos/{credit_memo_id}",
    )
    async def post_credit_memo(self, credit: NewCreditMemo) -> CreditMemo:
        """Credit an invoice: units of its lines, an amount with tax, or all that is left of it.

        Never above what is left. What was paid already is `to_refund`.
        """
        ...

    @read("/credit-memos/{credit_memo_id}", scope="erp.credit-memos:read", visible=ACCOUNTS)
    async def get_credit_memo(self, credit_memo_id: RecordId) -> CreditMemo:
        """A credit memo."""
        ...

    @search("/credit-memos", scope="erp.credit-memos:read", visible=ACCOUNTS)
    async def list_credit_memos(
        self,
        *,
        account_id: AccountId | None = None,
        sales_order_id: RecordId | None = None,
        invoice_id: RecordId | None = None,
        reference: Reference | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[CreditMemo]:
        """Credit memos, oldest first, by account, order, invoice or reference."""
        ...

    @action("/credit-memos/{reference}/cancel", scope="erp.credit-memos:write", visible=ACCOUNTS)
    async def cancel_credit_memo(self, reference: RecordId, cancel: ForAccount) -> CreditMemoCancelResult:
        """Undo the credit posted under a reference.

        Safe when there is none: the reference is then barred, so that a late original is refused.
        """
        ...

    @create(
        "/received-payments",
        scope="erp.received-payments:write",
        raises=[UnknownAccount, CurrencyMismatch, AmountExceeded, ReferenceTaken, Tombstoned],
        visible=ACCOUNTS,
        location="/received-payments/{received_payment_id}",
    )
    async def record_payment(self, payment: NewReceivedPayment) -> ReceivedPayment:
        """Post money that came from an account, and put it to invoices.

        As stated, or to the open invoices that are due first. What no invoice takes is `unapplied` and stays
        to the account's credit.
        """
        ...

    @read("/received-payments/{received_payment_id}", scope="erp.received-payments:read", visible=ACCOUNTS)
    async def get_received_payment(self, received_payment_id: RecordId) -> ReceivedPayment:
        """Money received, and the invoices it was put to."""
        ...

    @search("/received-payments", scope="erp.received-payments:read", visible=ACCOUNTS)
    async def list_received_payments(
        self,
        *,
        account_id: AccountId | None = None,
        reference: Reference | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[ReceivedPayment]:
        """Money received, oldest first, by account or reference."""
        ...

    @action(
        "/received-payments/{received_payment_id}/apply",
        scope="erp.received-payments:write",
        raises=[WrongState, CurrencyMismatch, AmountExceeded, ReferenceTaken],
        visible=ACCOUNTS,
    )
    async def apply_payment(self, received_payment_id: RecordId, application: PaymentApplication) -> ReceivedPayment:
        """Put what is unapplied of a payment to invoices, as stated or to those that are due first."""
        ...

    @action("/received-payments/{reference}/cancel", scope="erp.received-payments:write", visible=ACCOUNTS)
    async def cancel_received_payment(self, reference: RecordId, cancel: ForAccount) -> ReceivedPaymentCancelResult:
        """Undo the payment recorded under a reference, as when the bank takes it back.

        Its invoices are open again. Safe when there is none: the reference is then barred.
        """
        ...

    @create(
        "/returns",
        scope="erp.returns:write",
        raises=[WrongState, QuantityExceeded, ReferenceTaken, Tombstoned],
        visible=ACCOUNTS,
        location="/returns/{return_id}",
    )
    async def create_return(self, goods: NewReturn) -> Return:
        """Authorise goods of an invoiced order to come back.

        `credit` is what their receipt will be worth, tax included.
        """
        ...

    @read("/returns/{return_id}", scope="erp.returns:read", visible=ACCOUNTS)
    async def get_return(self, return_id: RecordId) -> Return:
        """A return."""
        ...

    @search("/returns", scope="erp.returns:read", visible=ACCOUNTS)
    async def list_returns(
        self,
        *,
        account_id: AccountId | None = None,
        sales_order_id: RecordId | None = None,
        reference: Reference | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Return]:
        """Returns, oldest first, by account, order or reference."""
        ...

    @action("/returns/{return_id}/receive", scope="erp.returns:write", visible=ACCOUNTS)
    async def receive_return(self, return_id: RecordId, receipt: ForAccount) -> Return:
        """Take the goods into stock and credit the order's invoices.

        Never above what is left of them: `credit` is then what they took. Done once however often it is asked.
        """
        ...

    @action(
        "/returns/{return_id}/inspect",
        scope="erp.returns:write",
        raises=[WrongState, QuantityExceeded, ReferenceTaken],
        visible=ACCOUNTS,
    )
    async def inspect_return(self, return_id: RecordId, inspection: ReturnInspection) -> Return:
        """Post what was accepted of returned goods.

        What can be sold again goes into stock; what was authorised and is not in the inspection is given
        back to the order, so that it can be returned another time. `credit` is then what was accepted.
        """
        ...

    @action("/returns/{return_id}/credit", scope="erp.returns:write", raises=[WrongState], visible=ACCOUNTS)
    async def credit_return(self, return_id: RecordId, credit: ForAccount) -> Return:
        """Credit the order's invoices for what was accepted.

        Never above what is left of them: `credit` is then what they took. Done once however often it is asked.
        """
        ...

    @action("/returns/{reference}/cancel", scope="erp.returns:write", raises=[WrongState], visible=ACCOUNTS)
    async def cancel_return(self, reference: RecordId, cancel: ForAccount) -> ReturnCancelResult:
        """Undo the return authorised under a reference.

        Safe when there is none: the reference is then barred, so that a late original is refused.
        Refused as a wrong state once its goods were inspected.
        """
        ...

    @read("/changes", scope="erp.changes:read", public_because=NAMES_RECORDS)
    async def list_changes(self, *, after: ChangePosition = 0, limit: ChangeLimit = 100) -> Changes:
        """What changed after a position: prices, what is free in a warehouse, and invoices."""
        ...
