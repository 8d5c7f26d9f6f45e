"""ERP v1 over the embedded connector: keys become references, lists are paged, paths and bodies agree."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from governance.call import Accounts, Call, ManualClock, Principal, enter
from governance.contract import CursorCodec, NotFound
from governance.contract.refusals import InvalidBody, InvalidParameters
from system_apis.embedded import RecordFiles
from system_apis.erp.connectors.embedded.connector import Connector, Settings
from system_apis.erp.documents import ForAccount, InvoicePayment, NewInvoice, NewReturn, NewReturnLine, StockLevel
from system_apis.erp.v1.service import Erp
from tests.system_apis.erp.material import furnish, order, product, reservation, terms

T = TypeVar("T")
A = ForAccount(account_id="CT-A")


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Connector]:
    files = RecordFiles(tmp_path)
    connector = Connector(Settings(seed=False), files, ManualClock())
    asyncio.run(connector.start())
    yield connector
    files.close()


@pytest.fixture
def erp(port: Connector) -> Erp:
    return Erp(port, CursorCodec(b"a key of the tests"))


async def keyed(key: str, work: Coroutine[object, object, T]) -> T:
    """``work`` inside a call with this idempotency key, in a context of its own."""

    async def called() -> T:
        enter(
            Call(
                principal=Principal(subject="s", client_id="c", accounts=Accounts(reach="all")),
                operation_id="erp.v1.test",
                idempotency_key=key,
            )
        )
        return await work

    return await asyncio.create_task(called())


def test_an_order_from_price_to_credit(port: Connector, erp: Erp) -> None:
    async def scenario() -> None:
        await furnish(port)
        assert (await erp.get_customer_price("CT-A", "CT-1", quantity=3)).net.amount_minor == 3_000
        held = await keyed("k-r", erp.reserve_stock(reservation(("CT-1", 2))))
        assert await erp.get_reservation("k-r") == held
        posted = await keyed("k-so", erp.post_sales_order(order(("CT-1", 2, 1_000))))
        assert posted.reference == "k-so"
        assert (await erp.consume_reservation("k-r", A)).status == "consumed"
        new_invoice = NewInvoice(account_id="CT-A", sales_order_id=posted.sales_order_id)
        invoice = await keyed("k-i", erp.post_invoice(new_invoice))
        paid = InvoicePayment(account_id="CT-A", amount=invoice.total)
        assert (await keyed("k-p", erp.pay_invoice(invoice.invoice_id, paid))).status == "paid"
        line = NewReturnLine(sku="CT-1", warehouse="CT-HOME", quantity=1)
        new_return = NewReturn(account_id="CT-A", sales_order_id=posted.sales_order_id, lines=(line,))
        back = await keyed("k-ret", erp.create_return(new_return))
        assert (await erp.receive_return(back.return_id, A)).status == "credited"
        assert (await erp.get_return(back.return_id)).reference == "k-ret"
        assert (await erp.list_returns(account_id="CT-A")).items[0].return_id == back.return_id
        assert (await erp.list_sales_orders(reference="k-so")).items[0].status == "invoiced"

    asyncio.run(scenario())


def test_undoing_says_what_there_was_to_undo(port: Connector, erp: Erp) -> None:
    async def scenario() -> None:
        await furnish(port)
        await keyed("k-r", erp.reserve_stock(reservation(("CT-1", 2))))
        assert (await erp.release_reservation("k-r", A)).outcome == "released"
        assert (await erp.release_reservation("k-none", A)).outcome == "nothing_to_release"
        await keyed("k-so", erp.post_sales_order(order(("CT-1", 2, 1_000))))
        assert (await erp.cancel_sales_order("k-so", A)).sales_order_id is not None
        assert (await erp.cancel_sales_order("k-none", A)).outcome == "nothing_to_cancel"
        with pytest.raises(NotFound):
            await erp.get_reservation("k-none")

    asyncio.run(scenario())


def test_lists_are_paged_by_cursor(port: Connector, erp: Erp) -> None:
    async def scenario() -> None:
        for number in range(5):
            await port.put_product(product(f"CT-{number}"))
            for warehouse in ("W1", "W2"):
                await port.put_stock(warehouse, f"CT-{number}", StockLevel(on_hand=number))
        seen: list[str] = []
        cursor = None
        while True:
            page = await erp.list_products(category="Conformance", limit=2, cursor=cursor)
            seen += [item.sku for item in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
            with pytest.raises(InvalidParameters):
                await erp.list_products(category="Other", limit=2, cursor=cursor)
        assert seen == [f"CT-{number}" for number in range(5)]
        first = await erp.list_inventory(limit=3)
        rest = await erp.list_inventory(limit=200, cursor=first.next_cursor)
        assert len({(item.sku, item.warehouse) for item in (*first.items, *rest.items)}) == 10
        assert rest.next_cursor is None

    asyncio.run(scenario())


def test_documents_are_paged_by_cursor(port: Connector, erp: Erp) -> None:
    async def scenario() -> None:
        await furnish(port)
        for number in range(3):
            await keyed(f"k-{number}", erp.post_sales_order(order(("CT-1", 1, 1_000))))
        first = await erp.list_sales_orders(account_id="CT-A", limit=2)
        assert [item.reference for item in first.items] == ["k-0", "k-1"]
        last = await erp.list_sales_orders(account_id="CT-A", limit=2, cursor=first.next_cursor)
        assert ([item.reference for item in last.items], last.next_cursor) == (["k-2"], None)

    asyncio.run(scenario())


def test_path_and_body_name_the_same_record(erp: Erp) -> None:
    async def scenario() -> None:
        assert (await erp.put_product("CT-1", product())).sku == "CT-1"
        assert (await erp.put_terms("CT-A", terms())).account_id == "CT-A"
        with pytest.raises(InvalidBody):
            await erp.put_product("CT-2", product())
        with pytest.raises(InvalidBody):
            await erp.put_terms("CT-B", terms())

    asyncio.run(scenario())
