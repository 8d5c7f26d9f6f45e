"""The part of the ERP's conformance suite about credit memos and money received at the bank."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from governance.contract.problems import NotFound
from system_apis.canonical.entities import Invoice
from system_apis.canonical.refusals import (
    AmountExceeded,
    CurrencyMismatch,
    QuantityExceeded,
    ReferenceTaken,
    Tombstoned,
    UnknownAccount,
    WrongState,
)
from system_apis.canonical.values import Money
from system_apis.erp.documents import InvoicePayment, NewInvoice, NewReturn, NewReturnLine
from system_apis.erp.port import DocumentFilter, ErpPort
from system_apis.erp.receivables import (
    CreditedQuantity,
    NewCreditMemo,
    NewReceivedPayment,
    PaymentAllocation,
    PaymentApplication,
)
from tests.system_apis.erp.material import eur, furnish, order, terms

NONE = DocumentFilter(account_ids=("CT-B",))
ANY = DocumentFilter()


async def billed(port: ErpPort, number: int, *lines: tuple[str, int, int], prepaid: bool = False) -> Invoice:
    """An invoice over an order of (SKU, quantity, unit price in cents) with 19 % tax."""
    posted = await port.post_sales_order(order(*lines, prepaid=prepaid), f"so-{number}")
    return await port.post_invoice(NewInvoice(account_id="CT-A", sales_order_id=posted.sales_order_id), f"inv-{number}")


def units(invoice: Invoice, *lines: tuple[int, int], account_id: str = "CT-A") -> NewCreditMemo:
    return NewCreditMemo(
        account_id=account_id,
        invoice_id=invoice.invoice_id,
        lines=tuple(CreditedQuantity(line_no=number, quantity=n) for number, n in lines),
    )


def amount(invoice: Invoice, cents: int | None) -> NewCreditMemo:
    wanted = None if cents is None else eur(cents)
    return NewCreditMemo(account_id="CT-A", invoice_id=invoice.invoice_id, amount=wanted)


def received(cents: int, *stated: tuple[Invoice, int], currency: str = "EUR") -> NewReceivedPayment:
    parts = tuple(PaymentAllocation(invoice_id=one.invoice_id, amount=Money(n, currency)) for one, n in stated)
    return NewReceivedPayment(account_id="CT-A", amount=Money(cents, currency), allocations=parts or None)


class ErpCreditMemos:
    """Credits against invoices."""

    def test_units_are_credited_once_and_together_exactly_the_invoice(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port, limit=100_000)
            invoice = await billed(port, 1, ("CT-1", 3, 333), ("CT-1", 2, 1_001))
            made = await asyncio.gather(*(port.post_credit_memo(units(invoice, (1, 2)), "cm-1") for _ in range(10)))
            first = made[0]
            assert all(one == first for one in made)
            assert (first.net, first.tax, first.total, first.to_refund) == (eur(666), eur(127), eur(793), eur(0))
            assert (first.status, first.reference, first.lines[0].quantity) == ("posted", "cm-1", 2)
            assert await port.find_credit_memo_by_reference("cm-1") == first
            assert await port.get_credit_memo(first.credit_memo_id) == first
            with pytest.raises(QuantityExceeded) as caught:
                await port.post_credit_memo(units(invoice, (1, 2)), "cm-2")
            assert (caught.value.remaining, caught.value.requested) == (1, 2)
            rest = await port.post_credit_memo(units(invoice, (1, 1), (2, 2)), "cm-2")
            assert first.net + rest.net == invoice.net and first.total + rest.total == invoice.total
            found = await port.get_invoice(invoice.invoice_id)
            assert (found.status, found.credited) == ("credited", invoice.total)
            assert (await port.get_credit_status("CT-A")).exposure == eur(0)
            with pytest.raises(ReferenceTaken):
                await port.post_credit_memo(units(invoice, (1, 1)), "cm-1")
            with pytest.raises(NotFound):
                await port.post_credit_memo(units(invoice, (9, 1)), "cm-3")
            with pytest.raises(NotFound):
                await port.post_credit_memo(units(invoice, (1, 1), account_id="CT-B"), "cm-3")

        asyncio.run(scenario())

    def test_an_amount_is_never_above_what_is_left(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            invoice = await billed(port, 1, ("CT-1", 1, 1_000))
            part = await port.post_credit_memo(amount(invoice, 500), "cm-1")
            assert (part.net, part.tax, part.lines) == (eur(420), eur(80), ())
            with pytest.raises(AmountExceeded) as caught:
                await port.post_credit_memo(amount(invoice, 691), "cm-2")
            assert caught.value.remaining == eur(690)
            dollars = NewCreditMemo(account_id="CT-A", invoice_id=invoice.invoice_id, amount=Money(1, "USD"))
            with pytest.raises(CurrencyMismatch):
                await port.post_credit_memo(dollars, "cm-2")
            rest = await port.post_credit_memo(amount(invoice, None), "cm-2")
            assert (rest.total, part.tax + rest.tax) == (eur(690), invoice.tax)
            with pytest.raises(AmountExceeded):
                await port.post_credit_memo(amount(invoice, None), "cm-3")

        asyncio.run(scenario())

    def test_what_was_paid_is_to_be_refunded(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            invoice = await billed(port, 1, ("CT-1", 1, 1_000))
            await port.pay_invoice(invoice.invoice_id, InvoicePayment(account_id="CT-A", amount=eur(1_000)), "p-1")
            assert (await port.post_credit_memo(amount(invoice, 200), "cm-1")).to_refund == eur(10)
            assert (await port.get_invoice(invoice.invoice_id)).status == "paid"
            assert (await port.post_credit_memo(amount(invoice, None), "cm-2")).to_refund == eur(990)

        asyncio.run(scenario())

    def test_a_cancelled_credit_is_owed_again_and_bars_its_reference(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            invoice = await billed(port, 1, ("CT-1", 2, 1_000))
            await port.post_credit_memo(units(invoice, (1, 2)), "cm-1")
            with pytest.raises(NotFound):
                await port.cancel_credit_memo("cm-1", "CT-B")
            for _ in range(2):
                undone = await port.cancel_credit_memo("cm-1", "CT-A")
                assert undone is not None and undone.status == "cancelled"
            assert await port.cancel_credit_memo("cm-late", "CT-A") is None
            for reference in ("cm-1", "cm-late"):
                with pytest.raises(Tombstoned):
                    await port.post_credit_memo(units(invoice, (1, 2)), reference)
            assert (await port.get_invoice(invoice.invoice_id)).status == "open"
            assert (await port.get_credit_status("CT-A")).exposure == invoice.total
            assert (await port.post_credit_memo(units(invoice, (1, 2)), "cm-2")).total == invoice.total

        asyncio.run(scenario())

    def test_a_unit_is_credited_or_returned_but_not_both(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            invoice = await billed(port, 1, ("CT-1", 3, 1_000))
            line = NewReturnLine(sku="CT-1", warehouse="CT-HOME", quantity=2)
            goods = NewReturn(account_id="CT-A", sales_order_id=invoice.sales_order_id, lines=(line,))
            await port.create_return(goods, "ret-1")
            with pytest.raises(QuantityExceeded):
                await port.post_credit_memo(units(invoice, (1, 2)), "cm-1")
            await port.post_credit_memo(units(invoice, (1, 1)), "cm-1")
            with pytest.raises(QuantityExceeded) as caught:
                await port.create_return(replace(goods, lines=(replace(line, quantity=1),)), "ret-2")
            assert caught.value.remaining == 0

        asyncio.run(scenario())

    def test_credits_are_listed_by_account_order_and_invoice(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            one, other = [await billed(port, number, ("CT-1", 1, 1_000)) for number in (1, 2)]
            first = await port.post_credit_memo(amount(one, 100), "cm-1")
            second = await port.post_credit_memo(amount(other, 100), "cm-2")
            listed = await port.list_credit_memos(ANY, None, 0, 10)
            assert [memo for _, memo in listed] == [first, second]
            assert [memo for _, memo in await port.list_credit_memos(ANY, None, listed[0][0], 10)] == [second]
            assert [memo for _, memo in await port.list_credit_memos(ANY, other.invoice_id, 0, 10)] == [second]
            of_order = DocumentFilter(sales_order_id=one.sales_order_id)
            assert [memo for _, memo in await port.list_credit_memos(of_order, None, 0, 10)] == [first]
            assert await port.list_credit_memos(NONE, None, 0, 10) == ()
            with pytest.raises(NotFound):
                await port.get_credit_memo("CM-999999999")

        asyncio.run(scenario())


class ErpReceivedPayments:
    """Money received and the invoices that it is put to."""

    def test_money_goes_to_the_invoices_that_are_due_first(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            by_card = await billed(port, 1, ("CT-1", 1, 1_000), prepaid=True)
            one, other = [await billed(port, number, ("CT-1", 1, 1_000)) for number in (2, 3)]
            made = await asyncio.gather(*(port.record_payment(received(1_500), "b-1") for _ in range(10)))
            assert all(payment == made[0] for payment in made)
            parts = [(part.invoice_id, part.amount) for part in made[0].allocations]
            assert parts == [(one.invoice_id, eur(1_190)), (other.invoice_id, eur(310))]
            assert (made[0].unapplied, made[0].status) == (eur(0), "recorded")
            states = [(await port.get_invoice(each.invoice_id)).status for each in (by_card, one, other)]
            assert states == ["open", "paid", "open"]
            assert (await port.get_credit_status("CT-A")).exposure == eur(880)
            assert await port.find_received_payment_by_reference("b-1") == made[0]
            assert await port.get_received_payment(made[0].received_payment_id) == made[0]
            with pytest.raises(ReferenceTaken):
                await port.record_payment(received(1_501), "b-1")

        asyncio.run(scenario())

    def test_what_no_invoice_takes_stays_to_the_accounts_credit(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            one = await billed(port, 1, ("CT-1", 1, 1_000))
            early = await port.record_payment(received(2_000), "b-1")
            assert early.unapplied == eur(810)
            other = await billed(port, 2, ("CT-1", 1, 1_000))
            wish = PaymentApplication(account_id="CT-A")
            applied = await port.apply_payment(early.received_payment_id, wish, "ap-1")
            for again in (applied, await port.apply_payment(early.received_payment_id, wish, "ap-1")):
                assert again == applied
                assert [part.amount for part in applied.allocations] == [eur(1_190), eur(810)]
                assert applied.unapplied == eur(0)
            assert await port.find_payment_application_by_reference("ap-1") == applied
            assert (await port.get_invoice(other.invoice_id)).paid == eur(810)
            with pytest.raises(ReferenceTaken):
                again = PaymentApplication(account_id="CT-A", allocations=())
                await port.apply_payment(early.received_payment_id, again, "ap-1")
            with pytest.raises(NotFound):
                await port.apply_payment(early.received_payment_id, PaymentApplication(account_id="CT-B"), "ap-2")
            assert one.invoice_id == applied.allocations[0].invoice_id

        asyncio.run(scenario())

    def test_stated_parts_fit_the_money_and_their_invoices(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            one, other = [await billed(port, number, ("CT-1", 1, 1_000)) for number in (1, 2)]
            for wrong in (
                received(100, (one, 101)),
                received(9_000, (one, 1_191)),
                received(9_000, (one, 600), (one, 600)),
            ):
                with pytest.raises(AmountExceeded):
                    await port.record_payment(wrong, "b-1")
            with pytest.raises(CurrencyMismatch):
                await port.record_payment(received(100, currency="USD"), "b-1")
            with pytest.raises(UnknownAccount):
                await port.record_payment(NewReceivedPayment(account_id="CT-NONE", amount=eur(1)), "b-1")
            await port.put_terms(terms("CT-B"))
            foreign = NewReceivedPayment(
                account_id="CT-B", amount=eur(100), allocations=received(1, (one, 1)).allocations
            )
            with pytest.raises(NotFound):
                await port.record_payment(foreign, "b-1")
            assert await port.list_received_payments(ANY, 0, 10) == (), "a refused payment leaves nothing"
            late = await port.record_payment(received(1_300, (other, 1_190)), "b-1")
            assert (late.unapplied, (await port.get_invoice(one.invoice_id)).status) == (eur(110), "open")

        asyncio.run(scenario())

    def test_a_cancelled_payment_opens_its_invoices_and_bars_its_reference(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            invoice = await billed(port, 1, ("CT-1", 1, 1_000))
            payment = await port.record_payment(received(2_000), "b-1")
            with pytest.raises(NotFound):
                await port.cancel_received_payment("b-1", "CT-B")
            for _ in range(2):
                undone = await port.cancel_received_payment("b-1", "CT-A")
                assert undone is not None and (undone.status, undone.unapplied) == ("cancelled", eur(0))
            assert await port.cancel_received_payment("b-late", "CT-A") is None
            for reference in ("b-1", "b-late"):
                with pytest.raises(Tombstoned):
                    await port.record_payment(received(2_000), reference)
            found = await port.get_invoice(invoice.invoice_id)
            assert (found.status, found.paid) == ("open", eur(0))
            assert (await port.get_credit_status("CT-A")).exposure == invoice.total
            with pytest.raises(WrongState):
                await port.apply_payment(payment.received_payment_id, PaymentApplication(account_id="CT-A"), "ap-1")
            assert await port.list_received_payments(NONE, 0, 10) == ()

        asyncio.run(scenario())
