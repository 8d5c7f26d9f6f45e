"""What every ERP connector must do about inspected, credited and cancelled returns."""

from __future__ import annotations

import asyncio

import pytest

from governance.contract.problems import NotFound
from system_apis.canonical.entities import SalesOrder
from system_apis.canonical.refusals import QuantityExceeded, ReferenceTaken, Tombstoned, WrongState
from system_apis.canonical.values import total
from system_apis.erp.documents import InspectedLine, NewReturn, NewReturnLine, ReturnInspection
from system_apis.erp.port import DocumentFilter, ErpPort
from system_apis.erp.receivables import NewCreditMemo
from tests.system_apis.erp.material import eur, furnish, invoiced


def back(order: SalesOrder, quantity: int) -> NewReturn:
    """Units of CT-1 that come back to CT-HOME."""
    line = NewReturnLine(sku="CT-1", warehouse="CT-HOME", quantity=quantity)
    return NewReturn(account_id="CT-A", sales_order_id=order.sales_order_id, lines=(line,))


def accepted(restocked: int, scrapped: int = 0, account_id: str = "CT-A") -> ReturnInspection:
    """Units of CT-1 that were accepted."""
    line = InspectedLine(sku="CT-1", warehouse="CT-HOME", restocked=restocked, scrapped=scrapped)
    return ReturnInspection(account_id=account_id, lines=(line,) if restocked + scrapped else ())


async def on_hand(port: ErpPort) -> int:
    return (await port.get_availability("CT-1")).positions[0].on_hand


class ErpInspections:
    """Inspection, credit and cancelling."""

    def test_a_return_is_worth_what_was_accepted(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            order = await invoiced(port, ("CT-1", 6, 1_000))
            before = await on_hand(port)
            made = await port.create_return(back(order, 5), "ret-1")
            assert (made.credit, made.status) == (eur(5_950), "authorised")
            seen = await port.inspect_return(made.return_id, accepted(2, 1), "insp-1")
            assert (seen.credit, seen.status, seen.lines[0].quantity) == (eur(3_570), "received", 3)
            assert await on_hand(port) == before + 2
            assert await port.inspect_return(made.return_id, accepted(2, 1), "insp-1") == seen
            assert await on_hand(port) == before + 2
            assert await port.find_return_inspection_by_reference("insp-1") == seen
            assert await port.find_return_inspection_by_reference("insp-2") is None
            credited = await port.credit_return(made.return_id, "CT-A")
            assert (credited.credit, credited.status) == (eur(3_570), "credited")
            assert await port.credit_return(made.return_id, "CT-A") == credited
            (memo_id,) = credited.credit_memo_ids
            memo = await port.get_credit_memo(memo_id)
            assert (memo.total, memo.to_refund) == (eur(3_570), eur(0))
            ((_, invoice),) = await port.list_invoices(DocumentFilter(sales_order_id=order.sales_order_id), 0, 10)
            assert invoice.credited == eur(3_570)
            rest = await port.create_return(back(order, 3), "ret-2")
            assert rest.credit == eur(3_570)
            with pytest.raises(QuantityExceeded):
                await port.create_return(back(order, 1), "ret-3")

        asyncio.run(scenario())

    def test_rounding_leaves_no_cent_behind(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            order = await invoiced(port, ("CT-1", 7, 333))
            for turn, units in enumerate((3, 3, 1)):
                made = await port.create_return(back(order, units), f"ret-{turn}")
                await port.inspect_return(made.return_id, accepted(units - 1), f"insp-{turn}")
                await port.credit_return(made.return_id, "CT-A")
            last = await port.create_return(back(order, 3), "ret-last")
            await port.inspect_return(last.return_id, accepted(3), "insp-last")
            await port.credit_return(last.return_id, "CT-A")
            ((_, invoice),) = await port.list_invoices(DocumentFilter(sales_order_id=order.sales_order_id), 0, 10)
            assert invoice.credited == invoice.total
            assert invoice.status == "credited"

        asyncio.run(scenario())

    def test_nothing_accepted_is_worth_nothing(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            order = await invoiced(port, ("CT-1", 4, 1_000))
            made = await port.create_return(back(order, 4), "ret-1")
            seen = await port.inspect_return(made.return_id, accepted(0), "insp-1")
            assert (seen.credit, seen.lines) == (eur(0), ())
            assert (await port.create_return(back(order, 4), "ret-2")).credit == eur(4_760)

        asyncio.run(scenario())

    def test_an_inspection_is_refused(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            order = await invoiced(port, ("CT-1", 4, 1_000))
            made = await port.create_return(back(order, 2), "ret-1")
            with pytest.raises(WrongState):
                await port.credit_return(made.return_id, "CT-A")
            with pytest.raises(NotFound):
                await port.inspect_return(made.return_id, accepted(1, account_id="CT-B"), "insp-1")
            with pytest.raises(NotFound):
                await port.credit_return(made.return_id, "CT-B")
            with pytest.raises(QuantityExceeded):
                await port.inspect_return(made.return_id, accepted(3), "insp-1")
            with pytest.raises(NotFound):
                nowhere = InspectedLine(sku="CT-1", warehouse="CT-NONE", restocked=1)
                wrong = ReturnInspection(account_id="CT-A", lines=(nowhere,))
                await port.inspect_return(made.return_id, wrong, "insp-1")
            await port.inspect_return(made.return_id, accepted(1), "insp-1")
            with pytest.raises(ReferenceTaken):
                await port.inspect_return(made.return_id, accepted(2), "insp-1")
            with pytest.raises(WrongState):
                await port.inspect_return(made.return_id, accepted(1), "insp-2")
            assert (await port.get_return(made.return_id)).status == "received"

        asyncio.run(scenario())

    def test_a_cancelled_return_gives_everything_back(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            order = await invoiced(port, ("CT-1", 4, 1_000))
            made = await port.create_return(back(order, 4), "ret-1")
            with pytest.raises(NotFound):
                await port.cancel_return("ret-1", "CT-B")
            cancelled = await port.cancel_return("ret-1", "CT-A")
            assert cancelled is not None
            assert (cancelled.return_id, cancelled.status) == (made.return_id, "cancelled")
            assert await port.cancel_return("ret-1", "CT-A") == cancelled
            with pytest.raises(Tombstoned):
                await port.create_return(back(order, 4), "ret-1")
            with pytest.raises(WrongState):
                await port.inspect_return(made.return_id, accepted(1), "insp-1")
            again = await port.create_return(back(order, 4), "ret-2")
            assert again.credit == eur(4_760)
            await port.inspect_return(again.return_id, accepted(4), "insp-2")
            with pytest.raises(WrongState):
                await port.cancel_return("ret-2", "CT-A")

        asyncio.run(scenario())

    def test_a_cancel_that_came_first_bars_the_late_original(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            order = await invoiced(port, ("CT-1", 4, 1_000))
            assert await port.cancel_return("ret-1", "CT-A") is None
            with pytest.raises(Tombstoned):
                await port.create_return(back(order, 1), "ret-1")

        asyncio.run(scenario())

    def test_at_once_it_is_inspected_once(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            order = await invoiced(port, ("CT-1", 4, 1_000))
            made = await port.create_return(back(order, 4), "ret-1")
            before = await on_hand(port)
            await asyncio.gather(*(port.inspect_return(made.return_id, accepted(4), "insp-1") for _ in range(5)))
            await asyncio.gather(*(port.credit_return(made.return_id, "CT-A") for _ in range(5)))
            assert await on_hand(port) == before + 4

        asyncio.run(scenario())

    def test_no_invoice_is_credited_more_than_it_has_left_and_the_return_says_so(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            order = await invoiced(port, ("CT-1", 5, 1_000))
            made = await port.create_return(back(order, 5), "ret-1")
            ((_, invoice),) = await port.list_invoices(DocumentFilter(sales_order_id=order.sales_order_id), 0, 10)
            goodwill = NewCreditMemo(account_id="CT-A", invoice_id=invoice.invoice_id, amount=eur(2_000))
            await port.post_credit_memo(goodwill, "goodwill")
            assert (await port.inspect_return(made.return_id, accepted(5), "insp-1")).credit == eur(5_950)
            credited = await port.credit_return(made.return_id, "CT-A")
            memos = [await port.get_credit_memo(one) for one in credited.credit_memo_ids]
            assert credited.credit == eur(3_950) == total(tuple(one.total for one in memos), "EUR")
            assert await port.credit_return(made.return_id, "CT-A") == credited

        asyncio.run(scenario())

    def test_goods_that_were_received_are_credited_no_more_than_the_invoice_has_left(self, port: ErpPort) -> None:
        async def scenario() -> None:
            await furnish(port)
            order = await invoiced(port, ("CT-1", 5, 1_000))
            made = await port.create_return(back(order, 5), "ret-1")
            ((_, invoice),) = await port.list_invoices(DocumentFilter(sales_order_id=order.sales_order_id), 0, 10)
            goodwill = NewCreditMemo(account_id="CT-A", invoice_id=invoice.invoice_id, amount=eur(2_000))
            await port.post_credit_memo(goodwill, "goodwill")
            assert (await port.receive_return(made.return_id, "CT-A")).credit == eur(3_950)
            assert (await port.get_invoice(invoice.invoice_id)).credited == invoice.total

        asyncio.run(scenario())
