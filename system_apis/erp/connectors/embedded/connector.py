"""The embedded ERP: a small real system of record on one SQLite file.

Guarantees, over all processes that share the file: every write is one transaction; stock can't go
below zero nor below what is reserved; orders posted at once never exceed a credit limit together;
references are unique; running sums equal what they sum up (``ledger`` proves it).

A file that can't be written in time answers ``SystemUnavailable`` and holds nothing of the write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from governance.call import Clock
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
from system_apis.embedded import RecordFile, RecordFiles
from system_apis.embedded.changes import unlogged
from system_apis.erp.connectors.embedded import (
    changes,
    credit_memos,
    inspections,
    invoices,
    ledger,
    pricing,
    products,
    received_payments,
    reservations,
    returns,
    sales_orders,
    seed,
    stock,
    terms,
)
from system_apis.erp.connectors.embedded.schema import SCHEMA
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
from system_apis.erp.port import DocumentFilter, ErpPort, ProductFilter
from system_apis.erp.receivables import (
    CreditMemo,
    NewCreditMemo,
    NewReceivedPayment,
    PaymentApplication,
    ReceivedPayment,
)

T = TypeVar("T")
SCHEMAS = SCHEMA + inspections.SCHEMA + credit_memos.SCHEMA + received_payments.SCHEMA + changes.SCHEMA


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the embedded ERP starts. ``seed``: a new file gets the authored dataset."""

    seed: bool = True


class Connector(ErpPort):
    """The port over the file; what each operation does stands in the module of its documents."""

    def __init__(self, settings: Settings, files: RecordFiles, clock: Clock) -> None:
        self._settings = settings
        self._files = files
        self._clock = clock
        self._opened: RecordFile | None = None

    async def start(self) -> None:
        """Open the file and, where it is new, fill it."""
        self._opened = self._files.open("erp", SCHEMAS)
        now, authored = self._clock.now(), self._settings.seed
        await self._opened.write(lambda c: unlogged(c, lambda c: seed.sow(c, now, authored=authored)))

    async def stop(self) -> None:
        """Finish what was handed over and close the file."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    async def ledger(self) -> ledger.ErpLedger:
        """Everything the ERP holds at one moment; not part of the port."""
        return await self._read(ledger.read)

    async def get_product(self, sku: Sku) -> Product:
        return await self._read(lambda c: products.get(c, sku))

    async def list_products(self, which: ProductFilter, after: Sku, limit: int) -> tuple[Product, ...]:
        return await self._read(lambda c: products.search(c, which, after, limit))

    async def put_product(self, product: Product) -> Product:
        return await self._write(lambda c: products.put(c, product, self._clock.now()))

    async def price(self, account_id: AccountId, basket: Basket) -> PricedBasket:
        return await self._read(lambda c: pricing.price(c, account_id, basket))

    async def get_availability(self, sku: Sku) -> Availability:
        return await self._read(lambda c: stock.availability(c, sku, self._clock.now()))

    async def total_stock(self, skus: tuple[Sku, ...]) -> tuple[StockTotal, ...]:
        return await self._read(lambda c: stock.totals(c, skus, self._clock.now()))

    async def list_inventory(
        self, sku: Sku | None, warehouse: WarehouseId | None, after: tuple[Sku, WarehouseId], limit: int
    ) -> tuple[InventoryPosition, ...]:
        return await self._read(lambda c: stock.positions(c, sku, warehouse, after, limit, self._clock.now()))

    async def put_stock(self, warehouse: WarehouseId, sku: Sku, level: StockLevel) -> InventoryPosition:
        return await self._write(lambda c: stock.put(c, warehouse, sku, level, self._clock.now()))

    async def reserve_stock(self, request: NewReservation, reference: Reference) -> Reservation:
        return await self._write(lambda c: reservations.reserve(c, request, reference, self._clock.now()))

    async def release_reservation(self, reference: Reference, account_id: AccountId) -> Reservation | None:
        return await self._write(lambda c: reservations.release(c, reference, account_id, self._clock.now()))

    async def consume_reservation(self, reference: Reference, account_id: AccountId) -> Reservation:
        return await self._write(lambda c: reservations.consume(c, reference, account_id, self._clock.now()))

    async def issue_part(self, reference: Reference, part: ReservationPart) -> Reservation:
        now = self._clock.now()
        return await self._write(lambda c: reservations.settle_part(c, reference, part, "issued", now))

    async def release_part(self, reference: Reference, part: ReservationPart) -> Reservation:
        now = self._clock.now()
        return await self._write(lambda c: reservations.settle_part(c, reference, part, "released", now))

    async def find_reservation_by_reference(self, reference: Reference) -> Reservation | None:
        return await self._read(lambda c: reservations.find(c, reference, self._clock.now()))

    async def get_terms(self, account_id: AccountId) -> CustomerTerms:
        return await self._read(lambda c: terms.get(c, account_id))

    async def put_terms(self, agreed: CustomerTerms) -> CustomerTerms:
        return await self._write(lambda c: terms.put(c, agreed))

    async def hold_account(self, account_id: AccountId, on_hold: bool) -> CustomerTerms:
        return await self._write(lambda c: terms.hold(c, account_id, on_hold))

    async def get_credit_status(self, account_id: AccountId) -> CreditStatus:
        return await self._read(lambda c: terms.credit(c, account_id))

    async def post_sales_order(self, order: NewSalesOrder, reference: Reference) -> SalesOrder:
        return await self._write(lambda c: sales_orders.post(c, order, reference, self._clock.now()))

    async def cancel_sales_order(self, reference: Reference, account_id: AccountId) -> SalesOrder | None:
        return await self._write(lambda c: sales_orders.cancel(c, reference, account_id, self._clock.now()))

    async def close_sales_order(self, sales_order_id: RecordId, account_id: AccountId) -> SalesOrder:
        return await self._write(lambda c: sales_orders.close(c, sales_order_id, account_id))

    async def get_sales_order(self, sales_order_id: RecordId) -> SalesOrder:
        return await self._read(lambda c: sales_orders.get(c, sales_order_id))

    async def list_sales_orders(
        self, which: DocumentFilter, after: int, limit: int
    ) -> tuple[tuple[int, SalesOrder], ...]:
        return await self._read(lambda c: sales_orders.search(c, which, after, limit))

    async def find_sales_order_by_reference(self, reference: Reference) -> SalesOrder | None:
        return _only(await self.list_sales_orders(DocumentFilter(reference=reference), 0, 1))

    async def post_invoice(self, request: NewInvoice, reference: Reference) -> Invoice:
        return await self._write(lambda c: invoices.post(c, request, reference, self._clock.now()))

    async def get_invoice(self, invoice_id: RecordId) -> Invoice:
        return await self._read(lambda c: invoices.get(c, invoice_id))

    async def list_invoices(self, which: DocumentFilter, after: int, limit: int) -> tuple[tuple[int, Invoice], ...]:
        return await self._read(lambda c: invoices.search(c, which, after, limit))

    async def find_invoice_by_reference(self, reference: Reference) -> Invoice | None:
        return _only(await self.list_invoices(DocumentFilter(reference=reference), 0, 1))

    async def pay_invoice(self, invoice_id: RecordId, payment: InvoicePayment, reference: Reference) -> Invoice:
        return await self._write(lambda c: invoices.pay(c, invoice_id, payment, reference, self._clock.now()))

    async def find_invoice_payment_by_reference(self, reference: Reference) -> InvoicePayment | None:
        return await self._read(lambda c: invoices.find_payment(c, reference))

    async def post_credit_memo(self, request: NewCreditMemo, reference: Reference) -> CreditMemo:
        return await self._write(lambda c: credit_memos.post(c, request, reference, self._clock.now()))

    async def cancel_credit_memo(self, reference: Reference, account_id: AccountId) -> CreditMemo | None:
        return await self._write(lambda c: credit_memos.cancel(c, reference, account_id, self._clock.now()))

    async def get_credit_memo(self, credit_memo_id: RecordId) -> CreditMemo:
        return await self._read(lambda c: credit_memos.get(c, credit_memo_id))

    async def list_credit_memos(
        self, which: DocumentFilter, invoice_id: RecordId | None, after: int, limit: int
    ) -> tuple[tuple[int, CreditMemo], ...]:
        return await self._read(lambda c: credit_memos.search(c, which, invoice_id, after, limit))

    async def find_credit_memo_by_reference(self, reference: Reference) -> CreditMemo | None:
        return _only(await self.list_credit_memos(DocumentFilter(reference=reference), None, 0, 1))

    async def record_payment(self, request: NewReceivedPayment, reference: Reference) -> ReceivedPayment:
        return await self._write(lambda c: received_payments.record(c, request, reference, self._clock.now()))

    async def apply_payment(
        self, payment_id: RecordId, request: PaymentApplication, reference: Reference
    ) -> ReceivedPayment:
        return await self._write(lambda c: received_payments.apply(c, payment_id, request, reference))

    async def cancel_received_payment(self, reference: Reference, account_id: AccountId) -> ReceivedPayment | None:
        return await self._write(lambda c: received_payments.cancel(c, reference, account_id, self._clock.now()))

    async def get_received_payment(self, payment_id: RecordId) -> ReceivedPayment:
        return await self._read(lambda c: received_payments.get(c, payment_id))

    async def list_received_payments(
        self, which: DocumentFilter, after: int, limit: int
    ) -> tuple[tuple[int, ReceivedPayment], ...]:
        return await self._read(lambda c: received_payments.search(c, which, after, limit))

    async def find_received_payment_by_reference(self, reference: Reference) -> ReceivedPayment | None:
        return _only(await self.list_received_payments(DocumentFilter(reference=reference), 0, 1))

    async def find_payment_application_by_reference(self, reference: Reference) -> ReceivedPayment | None:
        return await self._read(lambda c: received_payments.find_application(c, reference))

    async def create_return(self, request: NewReturn, reference: Reference) -> Return:
        return await self._write(lambda c: returns.create(c, request, reference, self._clock.now()))

    async def get_return(self, return_id: RecordId) -> Return:
        return await self._read(lambda c: returns.get(c, return_id))

    async def list_returns(self, which: DocumentFilter, after: int, limit: int) -> tuple[tuple[int, Return], ...]:
        return await self._read(lambda c: returns.search(c, which, after, limit))

    async def find_return_by_reference(self, reference: Reference) -> Return | None:
        return _only(await self.list_returns(DocumentFilter(reference=reference), 0, 1))

    async def receive_return(self, return_id: RecordId, account_id: AccountId) -> Return:
        return await self._write(lambda c: returns.receive(c, return_id, account_id))

    async def inspect_return(self, return_id: RecordId, inspection: ReturnInspection, reference: Reference) -> Return:
        return await self._write(lambda c: inspections.inspect(c, return_id, inspection, reference, self._clock.now()))

    async def find_return_inspection_by_reference(self, reference: Reference) -> Return | None:
        return await self._read(lambda c: inspections.find(c, reference))

    async def credit_return(self, return_id: RecordId, account_id: AccountId) -> Return:
        return await self._write(lambda c: inspections.credit(c, return_id, account_id, self._clock.now()))

    async def cancel_return(self, reference: Reference, account_id: AccountId) -> Return | None:
        return await self._write(lambda c: inspections.cancel(c, reference, account_id, self._clock.now()))

    async def list_changes(self, after: int, limit: int) -> Changes:
        return await self._read(lambda c: changes.read(c, after, limit))

    @property
    def _file(self) -> RecordFile:
        if self._opened is None:
            raise RuntimeError("the embedded ERP was used before start() or after stop()")
        return self._opened

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._file.read(work)

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._file.write(work)


def _only(rows: tuple[tuple[int, T], ...]) -> T | None:
    return rows[0][1] if rows else None
