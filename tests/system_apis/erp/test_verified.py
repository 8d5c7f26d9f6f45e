"""Every operation of ERP v1 crosses the local binding in verify mode: encoded, decoded, the same."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from governance.bindings.local import local, local_stub
from governance.call import Accounts, Call, ManualClock, Principal, enter
from governance.contract import CursorCodec, api_of
from system_apis.canonical.refusals import CreditLimitExceeded, InsufficientStock, UnknownProduct
from system_apis.embedded import RecordFiles
from system_apis.erp.connectors.embedded.connector import Connector, Settings
from system_apis.erp.documents import (
    Basket,
    BasketLine,
    ForAccount,
    InvoicePayment,
    NewInvoice,
    NewReturn,
    NewReturnLine,
    StockInquiry,
    StockLevel,
)
from system_apis.erp.v1.contract import ErpV1
from system_apis.erp.v1.model import AccountHold
from system_apis.erp.v1.service import Erp
from tests.system_apis.erp.material import furnish, order, product, reservation, terms

A = ForAccount(account_id="CT-A")


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Connector]:
    files = RecordFiles(tmp_path)
    connector = Connector(Settings(seed=False), files, ManualClock())
    asyncio.run(connector.start())
    yield connector
    files.close()


@pytest.fixture
def erp(port: Connector) -> ErpV1:
    api, clock = api_of(ErpV1), ManualClock()
    service = Erp(port, CursorCodec(b"a key of the tests"))
    handlers = {operation: local(operation, service, (), clock)[0] for operation in api.operations}
    return cast(ErpV1, local_stub("tests.v1", api, api.operations, handlers, clock, "verify"))


def begin() -> None:
    """A call of a caller above the ERP, from which the binding derives its own."""
    enter(
        Call(
            principal=Principal(subject="s", client_id="c", accounts=Accounts(reach="all")),
            operation_id="tests.v1.flow",
            idempotency_key="K",
        )
    )


def test_master_data_and_stock_cross_the_binding(port: Connector, erp: ErpV1) -> None:
    async def scenario() -> None:
        begin()
        assert await erp.put_product("CT-1", product()) == await erp.get_product("CT-1")
        assert (await erp.put_stock("CT-HOME", "CT-1", StockLevel(on_hand=4))).available == 4
        assert (await erp.list_products(query="thing", limit=1)).items[0].sku == "CT-1"
        assert (await erp.list_inventory(sku="CT-1")).items == (await erp.get_availability("CT-1")).positions
        totals = await erp.total_stock(StockInquiry(skus=("CT-1", "CT-NONE")))
        assert [one.available for one in totals.items] == [4, None]
        assert await erp.put_terms("CT-A", terms(limit=5_000)) == await erp.get_terms("CT-A")
        assert (await erp.hold_account("CT-A", AccountHold(on_hold=True))).on_hold
        await erp.put_terms("CT-A", terms(limit=5_000))
        basket = Basket(lines=(BasketLine(sku="CT-1", quantity=3),))
        priced = await erp.price_basket("CT-A", basket)
        assert (await erp.get_customer_price("CT-A", "CT-1", quantity=3)).net == priced.net
        held = await erp.reserve_stock(reservation(("CT-1", 2)))
        assert re.fullmatch("[A-Z2-7]{26}", held.reference)
        assert await erp.get_reservation(held.reference) == held
        assert (await erp.release_reservation(held.reference, A)).outcome == "released"
        again = await erp.reserve_stock(reservation(("CT-1", 2)))
        assert (await erp.consume_reservation(again.reference, A)).status == "consumed"
        with pytest.raises(InsufficientStock) as caught:
            await erp.reserve_stock(reservation(("CT-1", 3)))
        assert caught.value.available == 2
        with pytest.raises(UnknownProduct):
            await erp.get_product("CT-NONE")

    asyncio.run(scenario())


def test_documents_cross_the_binding(port: Connector, erp: ErpV1) -> None:
    async def scenario() -> None:
        begin()
        await furnish(port, limit=5_000)
        undone = await erp.post_sales_order(order(("CT-1", 1, 1_000)))
        assert (await erp.cancel_sales_order(undone.reference, A)).outcome == "cancelled"
        posted = await erp.post_sales_order(order(("CT-1", 2, 1_000)))
        assert await erp.get_sales_order(posted.sales_order_id) == posted
        assert (await erp.list_sales_orders(account_id="CT-A")).items[1] == posted
        with pytest.raises(CreditLimitExceeded) as caught:
            await erp.post_sales_order(order(("CT-1", 9, 1_000)))
        assert caught.value.headroom == (await erp.get_credit_status("CT-A")).headroom
        invoice = await erp.post_invoice(NewInvoice(account_id="CT-A", sales_order_id=posted.sales_order_id))
        assert (await erp.list_invoices(status="open")).items == (await erp.get_invoice(invoice.invoice_id),)
        payment = InvoicePayment(account_id="CT-A", amount=invoice.total)
        assert (await erp.pay_invoice(invoice.invoice_id, payment)).status == "paid"
        goods = (NewReturnLine(sku="CT-1", warehouse="CT-HOME", quantity=1),)
        back = await erp.create_return(NewReturn(account_id="CT-A", sales_order_id=posted.sales_order_id, lines=goods))
        assert (await erp.list_returns(account_id="CT-A")).items == (await erp.get_return(back.return_id),)
        assert (await erp.receive_return(back.return_id, A)).status == "credited"

    asyncio.run(scenario())
