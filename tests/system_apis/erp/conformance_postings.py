"""The part of the ERP's conformance suite about orders, invoices, payments and returns."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from governance.contract.problems import NotFound
from system_apis.canonical.refusals import (
    AccountOnHold,
    AmountExceeded,
    CreditLimitExceeded,
    CurrencyMismatch,
    QuantityExceeded,
    ReferenceTaken,
    Tombstoned,
    UnknownAccount,
    UnknownProduct,
    WrongState,
)
from system_apis.canonical.values import Money, UnitPrice
from system_apis.erp.documents import (
    InvoicePayment,
    NewInvoice,
    NewInvoiceLine,
    NewReturn,
    NewReturnLine,
    NewSalesOrder,
    NewSalesOrderLine,
)
from system_apis.erp.port import DocumentFilter, ErpPort
from tests.system_apis.erp.material import SHIP_TO, eur, furnish, invoiced, order, terms


class ErpOrders:
    """Sales orders and credit."""

    def test_posts_once_for_each_reference(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            wanted = order(("CT-1", 3, 1_000), ("CT-1", 1, 999))
            made = await asyncio.gather(*(port.post_sales_order(wanted, "so-1") for _ in range(10)))
            posted = made[0]
            assert all(one == posted for one in made)
            assert (posted.net, posted.tax, posted.total) == (eur(3_999), eur(760), eur(4_759))
            assert (posted.reference, posted.status, posted.customer_reference) == ("so-1", "posted", "PO-1")
            assert await port.find_sales_order_by_reference("so-1") == posted
            assert await port.get_sales_order(posted.sales_order_id) == posted
            for account_ids, many in ((("CT-A",), 1), (("CT-A", "CT-B"), 1), (("CT-B",), 0), ((), 0), (None, 1)):
                assert len(await port.list_sales_orders(DocumentFilter(account_ids=account_ids), 0, 10)) == many
            with pytest.raises(ReferenceTaken):
                await port.post_sales_order(order(("CT-1", 1, 1_000)), "so-1")

        asyncio.run(scenario())

    def test_a_hold_changes_nothing_else_whoever_changes_terms_meanwhile(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            for number in range(25):
                held, put = await asyncio.gather(
                    port.hold_account("CT-A", True), port.put_terms(terms(limit=number, discount_bp=number))
                )
                assert held.on_hold and not put.on_hold
                now = await port.get_terms("CT-A")
                assert now in (replace(put, on_hold=True), put), "the limit is finance's, whoever came first"
            assert await port.hold_account("CT-A", True) == await port.hold_account("CT-A", True)
            assert not (await port.hold_account("CT-A", False)).on_hold
            await port.hold_account("CT-A", True)
            with pytest.raises(AccountOnHold):
                await port.post_sales_order(order(("CT-1", 1, 1_000)), "so-1")
            with pytest.raises(UnknownAccount):
                await port.hold_account("CT-NONE", True)

        asyncio.run(scenario())

    def test_refuses_what_it_cannot_take(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            await port.put_terms(terms("CT-HOLD", on_hold=True))
            with pytest.raises(UnknownAccount):
                await port.post_sales_order(order(("CT-1", 1, 1_000), account_id="CT-NONE"), "so-1")
            with pytest.raises(AccountOnHold):
                await port.post_sales_order(order(("CT-1", 1, 1_000), account_id="CT-HOLD", prepaid=True), "so-1")
            with pytest.raises(UnknownProduct):
                await port.post_sales_order(order(("CT-NONE", 1, 1_000)), "so-1")
            for missing in (port.get_sales_order("SO-999999999"), port.get_invoice("x"), port.get_return("RET-9")):
                with pytest.raises(NotFound):
                    await missing

        asyncio.run(scenario())

    def test_orders_posted_at_once_never_exceed_the_limit(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port, limit=5_000)  # four orders of 11.90
            attempts = (port.post_sales_order(order(("CT-1", 1, 1_000)), f"so-{n}") for n in range(9))
            made = await asyncio.gather(*attempts, return_exceptions=True)
            refused = [one for one in made if isinstance(one, CreditLimitExceeded)]
            assert len(refused) == 5
            assert (refused[0].headroom, refused[0].required) == (eur(240), eur(1_190))
            status = await port.get_credit_status("CT-A")
            assert (status.exposure, status.headroom) == (eur(4_760), eur(240))
            await port.post_sales_order(order(("CT-1", 5, 1_000), prepaid=True), "so-card")
            assert await port.get_credit_status("CT-A") == status

        asyncio.run(scenario())

    def test_a_cancellation_gives_credit_back_and_bars_the_reference(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port, limit=5_000)
            await port.post_sales_order(order(("CT-1", 1, 1_000)), "so-1")
            with pytest.raises(NotFound):
                await port.cancel_sales_order("so-1", "CT-B")
            for _ in range(2):
                cancelled = await port.cancel_sales_order("so-1", "CT-A")
                assert cancelled is not None and cancelled.status == "cancelled"
            assert (await port.get_credit_status("CT-A")).headroom == eur(5_000)
            assert await port.cancel_sales_order("so-late", "CT-A") is None
            for reference in ("so-1", "so-late"):
                with pytest.raises(Tombstoned):
                    await port.post_sales_order(order(("CT-1", 1, 1_000)), reference)

        asyncio.run(scenario())


class ErpInvoices:
    """Invoices, payments and returns."""

    def test_partial_invoices_are_together_exactly_the_order(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port, limit=1_000_000)
            line = NewSalesOrderLine(
                sku="CT-1", quantity=7, unit_price=UnitPrice(eur(1_003)), discount_bp=333,
                net=UnitPrice(eur(1_003)).of(7, 333), tax_rate_bp=1_900,
            )  # fmt: skip
            new = NewSalesOrder(
                account_id="CT-A", customer_reference="P", currency="EUR", ship_to=SHIP_TO, lines=(line,) * 2
            )
            posted = await port.post_sales_order(new, "so-1")

            async def invoice(reference: str, *lines: tuple[int, int]) -> Money:
                parts = tuple(NewInvoiceLine(line_no=number, quantity=n) for number, n in lines)
                request = NewInvoice(account_id="CT-A", sales_order_id=posted.sales_order_id, lines=parts or None)
                return (await port.post_invoice(request, reference)).total

            totals = [await invoice("i-1", (1, 2)), await invoice("i-2", (1, 3), (2, 1))]
            with pytest.raises(QuantityExceeded) as caught:
                await invoice("i-x", (1, 3))
            assert (caught.value.remaining, caught.value.requested) == (2, 3)
            assert await invoice("i-2", (1, 3), (2, 1)) == totals[1]
            totals.append(await invoice("i-3"))
            assert sum(one.amount_minor for one in totals) == posted.total.amount_minor
            assert (await port.get_credit_status("CT-A")).exposure == posted.total
            assert (await port.get_sales_order(posted.sales_order_id)).status == "invoiced"
            with pytest.raises(WrongState):
                await invoice("i-4")
            with pytest.raises(WrongState):
                await port.cancel_sales_order("so-1", "CT-A")

        asyncio.run(scenario())

    def test_an_invoice_is_posted_once_and_found(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            posted = await port.post_sales_order(order(("CT-1", 2, 1_000)), "so-1")
            request = NewInvoice(account_id="CT-A", sales_order_id=posted.sales_order_id)
            made = await asyncio.gather(*(port.post_invoice(request, "i-1") for _ in range(10)))
            assert all(one == made[0] for one in made)
            assert await port.find_invoice_by_reference("i-1") == made[0] == await port.get_invoice(made[0].invoice_id)
            for which in (DocumentFilter(sales_order_id=posted.sales_order_id), DocumentFilter(status="open")):
                assert [one for _, one in await port.list_invoices(which, 0, 10)] == [made[0]]
            with pytest.raises(NotFound):
                await port.post_invoice(NewInvoice(account_id="CT-B", sales_order_id=posted.sales_order_id), "i-2")

        asyncio.run(scenario())

    def test_payments_settle_an_invoice_once_each(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            await invoiced(port, ("CT-1", 1, 1_000))
            found = await port.find_invoice_by_reference("inv-1")
            assert found is not None
            part = InvoicePayment(account_id="CT-A", amount=eur(1_000))
            for _ in range(2):
                paid = await port.pay_invoice(found.invoice_id, part, "p-1")
                assert (paid.status, paid.paid) == ("open", eur(1_000))
            assert await port.find_invoice_payment_by_reference("p-1") == part
            with pytest.raises(AmountExceeded) as caught:
                await port.pay_invoice(found.invoice_id, part, "p-2")
            assert caught.value.remaining == eur(190)
            with pytest.raises(CurrencyMismatch):
                dollars = InvoicePayment(account_id="CT-A", amount=Money(1, "USD"))
                await port.pay_invoice(found.invoice_id, dollars, "p-2")
            with pytest.raises(NotFound):
                await port.pay_invoice(found.invoice_id, InvoicePayment(account_id="CT-B", amount=eur(1)), "p-2")
            rest = InvoicePayment(account_id="CT-A", amount=eur(190))
            assert (await port.pay_invoice(found.invoice_id, rest, "p-2")).status == "paid"
            with pytest.raises(ReferenceTaken):
                await port.pay_invoice(found.invoice_id, rest, "p-1")
            assert (await port.get_credit_status("CT-A")).exposure == eur(0)

        asyncio.run(scenario())

    def test_a_return_restocks_and_credits_once(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            posted = await invoiced(port, ("CT-1", 3, 1_000), ("CT-1", 1, 333))

            def back(quantity: int) -> NewReturn:
                line = NewReturnLine(sku="CT-1", warehouse="CT-HOME", quantity=quantity)
                return NewReturn(
                    account_id="CT-A", sales_order_id=posted.sales_order_id, lines=(line,), reason="wrong size"
                )

            first = await port.create_return(back(2), "ret-1")
            assert first == await port.create_return(back(2), "ret-1")
            assert (first.status, first.credit) == ("authorised", eur(2_380))
            with pytest.raises(QuantityExceeded):
                await port.create_return(back(3), "ret-2")
            rest = await port.create_return(back(2), "ret-2")
            assert first.credit + rest.credit == posted.total
            for one in (first, rest, rest):
                assert (await port.receive_return(one.return_id, "CT-A")).status == "credited"
            assert (await port.get_availability("CT-1")).available == 14
            invoice = await port.find_invoice_by_reference("inv-1")
            assert invoice is not None and (invoice.status, invoice.credited) == ("credited", posted.total)
            assert (await port.get_credit_status("CT-A")).exposure == eur(0)
            found = await port.list_returns(DocumentFilter(sales_order_id=posted.sales_order_id), 0, 10)
            assert [one.reference for _, one in found] == ["ret-1", "ret-2"]

        asyncio.run(scenario())

    def test_nothing_comes_back_that_was_not_invoiced(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            posted = await port.post_sales_order(order(("CT-1", 1, 1_000)), "so-1")
            line = NewReturnLine(sku="CT-1", warehouse="CT-HOME", quantity=1)
            with pytest.raises(WrongState):
                await port.create_return(
                    NewReturn(account_id="CT-A", sales_order_id=posted.sales_order_id, lines=(line,)), "ret-1"
                )

        asyncio.run(scenario())
