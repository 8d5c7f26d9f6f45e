"""ERP v1 over an ERP's port; guarantees and failures are the connector's.

Every create and action is recorded in the ERP under the idempotency key of its call.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from governance.call import current_call
from governance.contract import CursorCodec, NotFound, Page, Violation
from governance.contract.refusals import InvalidBody
from system_apis.canonical.changes import Changes
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
from system_apis.canonical.values import AccountId, Name, Quantity, RecordId, Reference, Sku, Text, WarehouseId
from system_apis.erp.port import DocumentFilter, ErpPort, ProductFilter
from system_apis.erp.v1.contract import ErpV1
from system_apis.erp.v1.listing import Listing, page_of_documents
from system_apis.erp.v1.model import (
    AccountHold,
    Basket,
    BasketLine,
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


class Erp(ErpV1):
    """Products, prices, stock, credit, sales orders, invoices and returns from one port."""

    def __init__(self, port: ErpPort, cursors: CursorCodec) -> None:
        self._port = port
        self._cursors = cursors

    async def get_product(self, sku: Sku) -> Product:
        return await self._port.get_product(sku)

    async def list_products(
        self,
        *,
        query: Text | None = None,
        category: Name | None = None,
        status: Literal["active", "discontinued"] | None = None,
        updated_since: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Product]:
        which = ProductFilter(query=query, category=category, status=status, updated_since=updated_since)
        listing = Listing(self._cursors, "erp.v1.list_products", which)
        (after,) = listing.after(cursor, ("",))
        found = await self._port.list_products(which, str(after), limit + 1)
        return listing.page(found, limit, lambda product: (product.sku,))

    async def put_product(self, sku: Sku, product: Product) -> Product:
        _same("sku", sku, product.sku)
        return await self._port.put_product(product)

    async def get_customer_price(self, account_id: AccountId, sku: Sku, *, quantity: Quantity = 1) -> CustomerPrice:
        priced = await self._port.price(account_id, Basket(lines=(BasketLine(sku=sku, quantity=quantity),)))
        line = priced.lines[0]
        return CustomerPrice(
            sku=sku,
            account_id=account_id,
            quantity=quantity,
            unit_price=line.unit_price,
            discount_bp=line.discount_bp,
            net=line.net,
            tax_rate_bp=line.tax_rate_bp,
            source=line.source,
        )

    async def price_basket(self, account_id: AccountId, basket: Basket) -> PricedBasket:
        return await self._port.price(account_id, basket)

    async def get_availability(self, sku: Sku) -> Availability:
        return await self._port.get_availability(sku)

    async def total_stock(self, inquiry: StockInquiry) -> StockTotals:
        return StockTotals(items=await self._port.total_stock(inquiry.skus))

    async def list_inventory(
        self,
        *,
        sku: Sku | None = None,
        warehouse: WarehouseId | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[InventoryPosition]:
        listing = Listing(self._cursors, "erp.v1.list_inventory", (sku, warehouse))
        last_sku, last_warehouse = listing.after(cursor, ("", ""))
        found = await self._port.list_inventory(sku, warehouse, (str(last_sku), str(last_warehouse)), limit + 1)
        return listing.page(found, limit, lambda position: (position.sku, position.warehouse))

    async def put_stock(self, warehouse: WarehouseId, sku: Sku, stock: StockLevel) -> InventoryPosition:
        return await self._port.put_stock(warehouse, sku, stock)

    async def reserve_stock(self, reservation: NewReservation) -> Reservation:
        return await self._port.reserve_stock(reservation, current_call().key)

    async def get_reservation(self, reference: RecordId) -> Reservation:
        found = await self._port.find_reservation_by_reference(reference)
        if found is None:
            raise NotFound()
        return found

    async def release_reservation(self, reference: RecordId, release: ForAccount) -> ReleaseResult:
        released = await self._port.release_reservation(reference, release.account_id)
        return ReleaseResult(
            reference=reference,
            account_id=release.account_id,
            outcome="nothing_to_release" if released is None else "released",
            reservation=released,
        )

    async def consume_reservation(self, reference: RecordId, consume: ForAccount) -> Reservation:
        return await self._port.consume_reservation(reference, consume.account_id)

    async def issue_part(self, reference: RecordId, part: ReservationPart) -> Reservation:
        return await self._port.issue_part(reference, part)

    async def release_part(self, reference: RecordId, part: ReservationPart) -> Reservation:
        return await self._port.release_part(reference, part)

    async def get_terms(self, account_id: AccountId) -> CustomerTerms:
        return await self._port.get_terms(account_id)

    async def put_terms(self, account_id: AccountId, terms: CustomerTerms) -> CustomerTerms:
        _same("account_id", account_id, terms.account_id)
        return await self._port.put_terms(terms)

    async def hold_account(self, account_id: AccountId, hold: AccountHold) -> CustomerTerms:
        return await self._port.hold_account(account_id, hold.on_hold)

    async def get_credit_status(self, account_id: AccountId) -> CreditStatus:
        return await self._port.get_credit_status(account_id)

    async def post_sales_order(self, order: NewSalesOrder) -> SalesOrder:
        return await self._port.post_sales_order(order, current_call().key)

    async def close_sales_order(self, sales_order_id: RecordId, close: ForAccount) -> SalesOrder:
        return await self._port.close_sales_order(sales_order_id, close.account_id)

    async def get_sales_order(self, sales_order_id: RecordId) -> SalesOrder:
        return await self._port.get_sales_order(sales_order_id)

    async def list_sales_orders(
        self,
        *,
        account_id: AccountId | None = None,
        reference: Reference | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[SalesOrder]:
        which = DocumentFilter(account_ids=current_call().listed_accounts(account_id), reference=reference)
        listing = Listing(self._cursors, "erp.v1.list_sales_orders", which)
        return await page_of_documents(listing, self._port.list_sales_orders, which, limit, cursor)

    async def cancel_sales_order(self, reference: RecordId, cancel: ForAccount) -> CancelResult:
        cancelled = await self._port.cancel_sales_order(reference, cancel.account_id)
        return CancelResult(
            reference=reference,
            account_id=cancel.account_id,
            outcome="nothing_to_cancel" if cancelled is None else "cancelled",
            sales_order_id=None if cancelled is None else cancelled.sales_order_id,
        )

    async def post_invoice(self, invoice: NewInvoice) -> Invoice:
        return await self._port.post_invoice(invoice, current_call().key)

    async def get_invoice(self, invoice_id: RecordId) -> Invoice:
        return await self._port.get_invoice(invoice_id)

    async def list_invoices(
        self,
        *,
        account_id: AccountId | None = None,
        sales_order_id: RecordId | None = None,
        reference: Reference | None = None,
        status: Literal["open", "paid", "credited"] | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Invoice]:
        which = DocumentFilter(
            account_ids=current_call().listed_accounts(account_id),
            sales_order_id=sales_order_id,
            reference=reference,
            status=status,
        )
        listing = Listing(self._cursors, "erp.v1.list_invoices", which)
        return await page_of_documents(listing, self._port.list_invoices, which, limit, cursor)

    async def pay_invoice(self, invoice_id: RecordId, payment: InvoicePayment) -> Invoice:
        return await self._port.pay_invoice(invoice_id, payment, current_call().key)

    async def post_credit_memo(self, credit: NewCreditMemo) -> CreditMemo:
        return await self._port.post_credit_memo(credit, current_call().key)

    async def get_credit_memo(self, credit_memo_id: RecordId) -> CreditMemo:
        return await self._port.get_credit_memo(credit_memo_id)

    async def list_credit_memos(
        self,
        *,
        account_id: AccountId | None = None,
        sales_order_id: RecordId | None = None,
        invoice_id: RecordId | None = None,
        reference: Reference | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[CreditMemo]:
        which = DocumentFilter(
            account_ids=current_call().listed_accounts(account_id), sales_order_id=sales_order_id, reference=reference
        )
        listing = Listing(self._cursors, "erp.v1.list_credit_memos", (str(which), invoice_id))

        async def search(which: DocumentFilter, after: int, limit: int) -> tuple[tuple[int, CreditMemo], ...]:
            return await self._port.list_credit_memos(which, invoice_id, after, limit)

        return await page_of_documents(listing, search, which, limit, cursor)

    async def cancel_credit_memo(self, reference: RecordId, cancel: ForAccount) -> CreditMemoCancelResult:
        cancelled = await self._port.cancel_credit_memo(reference, cancel.account_id)
        return CreditMemoCancelResult(
            reference=reference,
            account_id=cancel.account_id,
            outcome="nothing_to_cancel" if cancelled is None else "cancelled",
            credit_memo_id=None if cancelled is None else cancelled.credit_memo_id,
        )

    async def record_payment(self, payment: NewReceivedPayment) -> ReceivedPayment:
        return await self._port.record_payment(payment, current_call().key)

    async def get_received_payment(self, received_payment_id: RecordId) -> ReceivedPayment:
        return await self._port.get_received_payment(received_payment_id)

    async def list_received_payments(
        self,
        *,
        account_id: AccountId | None = None,
        reference: Reference | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[ReceivedPayment]:
        which = DocumentFilter(account_ids=current_call().listed_accounts(account_id), reference=reference)
        listing = Listing(self._cursors, "erp.v1.list_received_payments", which)
        return await page_of_documents(listing, self._port.list_received_payments, which, limit, cursor)

    async def apply_payment(self, received_payment_id: RecordId, application: PaymentApplication) -> ReceivedPayment:
        return await self._port.apply_payment(received_payment_id, application, current_call().key)

    async def cancel_received_payment(self, reference: RecordId, cancel: ForAccount) -> ReceivedPaymentCancelResult:
        cancelled = await self._port.cancel_received_payment(reference, cancel.account_id)
        return ReceivedPaymentCancelResult(
            reference=reference,
            account_id=cancel.account_id,
            outcome="nothing_to_cancel" if cancelled is None else "cancelled",
            received_payment_id=None if cancelled is None else cancelled.received_payment_id,
        )

    async def create_return(self, goods: NewReturn) -> Return:
        return await self._port.create_return(goods, current_call().key)

    async def get_return(self, return_id: RecordId) -> Return:
        return await self._port.get_return(return_id)

    async def list_returns(
        self,
        *,
        account_id: AccountId | None = None,
        sales_order_id: RecordId | None = None,
        reference: Reference | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Return]:
        which = DocumentFilter(
            account_ids=current_call().listed_accounts(account_id), sales_order_id=sales_order_id, reference=reference
        )
        listing = Listing(self._cursors, "erp.v1.list_returns", which)
        return await page_of_documents(listing, self._port.list_returns, which, limit, cursor)

    async def receive_return(self, return_id: RecordId, receipt: ForAccount) -> Return:
        return await self._port.receive_return(return_id, receipt.account_id)

    async def inspect_return(self, return_id: RecordId, inspection: ReturnInspection) -> Return:
        return await self._port.inspect_return(return_id, inspection, current_call().key)

    async def credit_return(self, return_id: RecordId, credit: ForAccount) -> Return:
        return await self._port.credit_return(return_id, credit.account_id)

    async def cancel_return(self, reference: RecordId, cancel: ForAccount) -> ReturnCancelResult:
        cancelled = await self._port.cancel_return(reference, cancel.account_id)
        return ReturnCancelResult(
            reference=reference,
            account_id=cancel.account_id,
            outcome="nothing_to_cancel" if cancelled is None else "cancelled",
            return_id=None if cancelled is None else cancelled.return_id,
        )

    async def list_changes(self, *, after: int = 0, limit: int = 100) -> Changes:
        """What changed after a position."""
        return await self._port.list_changes(after, limit)


def _same(field: str, in_path: str, in_body: str) -> None:
    if in_path != in_body:
        raise InvalidBody((Violation(pointer=f"/{field}", detail=f"must be {in_path!r}, as in the path"),))
