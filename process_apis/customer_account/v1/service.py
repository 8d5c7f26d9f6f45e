"""Customer account v1 over CRM, ERP, logistics and the orders under way.

A record that a system of record has under another account is answered like one that is not there,
whatever the caller may see otherwise. When a system is away its ``SystemUnavailable`` comes
through: a profile without its terms means that there are none, never that the ERP was not asked.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from governance.contract import NotFound, Page
from process_apis.customer_account.v1.contract import CustomerAccountV1
from process_apis.customer_account.v1.model import (
    AccountOrder,
    InvoiceDetail,
    InvoiceLine,
    InvoiceStatus,
    InvoiceSummary,
    OrderStatus,
    Profile,
    ShipmentDetail,
    ShipmentLine,
    ShipmentStatus,
    ShipmentSummary,
    Terms,
    TrackingEvent,
)
from process_apis.order_to_fulfillment.v1.contract import OrderToFulfillmentV1
from system_apis.canonical.refusals import UnknownAccount
from system_apis.canonical.values import AccountId, RecordId, Reference
from system_apis.crm.v1.contract import CrmV1
from system_apis.erp.v1.contract import ErpV1
from system_apis.logistics.v1.contract import LogisticsV1


class CustomerAccount(CustomerAccountV1):
    """One account's records, each read from the system that keeps it."""

    needs = (
        CrmV1.get_account,
        ErpV1.get_terms,
        ErpV1.get_credit_status,
        ErpV1.get_invoice,
        ErpV1.get_sales_order,
        ErpV1.list_invoices,
        LogisticsV1.get_shipment,
        LogisticsV1.list_shipments,
        OrderToFulfillmentV1.list_orders,
    )

    def __init__(self, crm: CrmV1, erp: ErpV1, logistics: LogisticsV1, orders: OrderToFulfillmentV1) -> None:
        self._crm = crm
        self._erp = erp
        self._logistics = logistics
        self._orders = orders

    async def get_profile(self, account_id: AccountId) -> Profile:
        """Who the account is, its terms and its credit."""
        account, terms = await asyncio.gather(self._crm.get_account(account_id), self._terms(account_id))
        return Profile(
            account_id=account.account_id,
            name=account.name,
            status=account.status,
            segment=account.segment,
            language=account.language,
            sales_person=account.owner,
            parent_id=account.parent_id,
            billing_address=account.billing_address,
            shipping_address=account.shipping_address,
            terms=terms,
        )

    async def list_orders(
        self,
        account_id: AccountId,
        *,
        status: OrderStatus | None = None,
        reference: Reference | None = None,
        updated_since: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[AccountOrder]:
        """The account's orders, newest first."""
        found = await self._orders.list_orders(
            account_id=account_id,
            status=status,
            reference=reference,
            updated_since=updated_since,
            limit=limit,
            cursor=cursor,
        )
        items = tuple(
            AccountOrder(
                order_id=order.order_id,
                account_id=order.account_id,
                reference=order.reference,
                channel=order.channel,
                status=order.status,
                stage=order.stage,
                reason=order.reason,
                total=order.total,
                placed_at=order.placed_at,
                updated_at=order.updated_at,
            )
            for order in found.items
        )
        return Page(items, found.next_cursor)

    async def list_shipments(
        self,
        account_id: AccountId,
        *,
        order_id: RecordId | None = None,
        status: ShipmentStatus | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[ShipmentSummary]:
        """The account's shipments, oldest first."""
        found = await self._logistics.list_shipments(
            account_id=account_id, order_reference=order_id, status=status, limit=limit, cursor=cursor
        )
        items = tuple(
            ShipmentSummary(
                shipment_id=shipment.shipment_id,
                account_id=shipment.account_id,
                order_id=shipment.order_reference,
                warehouse=shipment.warehouse,
                status=shipment.status,
                carrier=shipment.carrier,
                tracking_number=shipment.tracking_number,
                lines=tuple(ShipmentLine(sku=line.sku, quantity=line.quantity) for line in shipment.lines),
                released_at=shipment.released_at,
                promised_on=shipment.promised_on,
            )
            for shipment in found.items
        )
        return Page(items, found.next_cursor)

    async def get_shipment(self, account_id: AccountId, shipment_id: RecordId) -> ShipmentDetail:
        """A shipment and its tracking."""
        shipment = await self._logistics.get_shipment(shipment_id)
        if shipment.account_id != account_id:
            raise NotFound()
        return ShipmentDetail(
            shipment_id=shipment.shipment_id,
            account_id=shipment.account_id,
            order_id=shipment.order_reference,
            warehouse=shipment.warehouse,
            status=shipment.status,
            carrier=shipment.carrier,
            tracking_number=shipment.tracking_number,
            lines=tuple(ShipmentLine(sku=line.sku, quantity=line.quantity) for line in shipment.lines),
            ship_to=shipment.ship_to,
            released_at=shipment.released_at,
            promised_on=shipment.promised_on,
            events=tuple(
                TrackingEvent(at=event.at, status=event.status, location=event.location, note=event.note)
                for event in shipment.events
            ),
        )

    async def list_invoices(
        self,
        account_id: AccountId,
        *,
        status: InvoiceStatus | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[InvoiceSummary]:
        """The account's invoices, oldest first."""
        found = await self._erp.list_invoices(account_id=account_id, status=status, limit=limit, cursor=cursor)
        items = tuple(
            InvoiceSummary(
                invoice_id=invoice.invoice_id,
                account_id=invoice.account_id,
                sales_order_id=invoice.sales_order_id,
                status=invoice.status,
                net=invoice.net,
                tax=invoice.tax,
                total=invoice.total,
                paid=invoice.paid,
                credited=invoice.credited,
                issued_at=invoice.issued_at,
                due_on=invoice.due_on,
            )
            for invoice in found.items
        )
        return Page(items, found.next_cursor)

    async def get_invoice(self, account_id: AccountId, invoice_id: RecordId) -> InvoiceDetail:
        """An invoice and what is paid of it."""
        invoice = await self._erp.get_invoice(invoice_id)
        if invoice.account_id != account_id:
            raise NotFound()
        order = await self._erp.get_sales_order(invoice.sales_order_id)
        return InvoiceDetail(
            invoice_id=invoice.invoice_id,
            account_id=invoice.account_id,
            sales_order_id=invoice.sales_order_id,
            customer_reference=order.customer_reference,
            status=invoice.status,
            lines=tuple(
                InvoiceLine(
                    line_no=line.line_no,
                    sku=line.sku,
                    quantity=line.quantity,
                    net=line.net,
                    tax_rate_bp=line.tax_rate_bp,
                )
                for line in invoice.lines
            ),
            net=invoice.net,
            tax=invoice.tax,
            total=invoice.total,
            paid=invoice.paid,
            credited=invoice.credited,
            issued_at=invoice.issued_at,
            due_on=invoice.due_on,
        )

    async def _terms(self, account_id: AccountId) -> Terms | None:
        try:
            terms, credit = await asyncio.gather(
                self._erp.get_terms(account_id), self._erp.get_credit_status(account_id)
            )
        except UnknownAccount:
            return None
        return Terms(
            currency=terms.currency,
            payment_terms=terms.payment_terms,
            discount_bp=terms.discount_bp,
            exposure=credit.exposure,
            credit_limit=credit.limit,
            headroom=credit.headroom,
            on_hold=credit.on_hold,
        )
