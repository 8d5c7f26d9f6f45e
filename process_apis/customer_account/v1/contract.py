"""Customer account, version 1: one account's terms, orders, shipments and invoices."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Protocol

from msgspec import Meta

from governance.contract import Contract, Cursor, Limit, Page, by, read, search
from process_apis.customer_account.v1.model import (
    AccountOrder,
    InvoiceDetail,
    InvoiceStatus,
    InvoiceSummary,
    OrderStatus,
    Profile,
    ShipmentDetail,
    ShipmentStatus,
    ShipmentSummary,
)
from system_apis.canonical.values import AccountId, RecordId, Reference

Instant = Annotated[datetime, Meta(tz=True)]


class CustomerAccountV1(Contract, Protocol, owner="Customer service"):
    """Everything about one customer account, from whichever system keeps it.

    The account stands in every path: a record of another account is not there.
    """

    @read("/accounts/{account_id}", scope="customer-account.accounts:read", visible=by("account_id"))
    async def get_profile(self, account_id: AccountId) -> Profile:
        """Who the account is, its terms and its credit."""
        ...

    @search("/accounts/{account_id}/orders", scope="customer-account.orders:read", visible=by("account_id"))
    async def list_orders(
        self,
        account_id: AccountId,
        *,
        status: OrderStatus | None = None,
        reference: Reference | None = None,
        updated_since: Instant | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[AccountOrder]:
        """The account's orders, newest first, by status, its own reference or last change."""
        ...

    @search("/accounts/{account_id}/shipments", scope="customer-account.shipments:read", visible=by("account_id"))
    async def list_shipments(
        self,
        account_id: AccountId,
        *,
        order_id: RecordId | None = None,
        status: ShipmentStatus | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[ShipmentSummary]:
        """The account's shipments, oldest first, by order or status."""
        ...

    @read(
        "/accounts/{account_id}/shipments/{shipment_id}",
        scope="customer-account.shipments:read",
        visible=by("account_id"),
    )
    async def get_shipment(self, account_id: AccountId, shipment_id: RecordId) -> ShipmentDetail:
        """A shipment and its tracking."""
        ...

    @search("/accounts/{account_id}/invoices", scope="customer-account.invoices:read", visible=by("account_id"))
    async def list_invoices(
        self,
        account_id: AccountId,
        *,
        status: InvoiceStatus | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[InvoiceSummary]:
        """The account's invoices, oldest first, by status."""
        ...

    @read(
        "/accounts/{account_id}/invoices/{invoice_id}",
        scope="customer-account.invoices:read",
        visible=by("account_id"),
    )
    async def get_invoice(self, account_id: AccountId, invoice_id: RecordId) -> InvoiceDetail:
        """An invoice and what is paid of it."""
        ...
