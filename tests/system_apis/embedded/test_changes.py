"""What the embedded systems log as changes: with the change or not at all, once, and in its order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from governance.call import ManualClock
from governance.contract import Problem
from system_apis.canonical.changes import Changes
from system_apis.canonical.entities import ShipmentLine
from system_apis.canonical.values import Address, Money
from system_apis.commerce.connectors.embedded import connector as commerce
from system_apis.crm.connectors.embedded import connector as crm
from system_apis.crm.drafts import AccountDetails
from system_apis.embedded import RecordFiles
from system_apis.embedded import changes as log
from system_apis.erp.connectors.embedded import connector as erp
from system_apis.erp.documents import NewInvoice
from system_apis.logistics.connectors.embedded import connector as logistics
from system_apis.logistics.port import ShipmentRequest
from system_apis.payments.connectors.embedded import connector as payments
from system_apis.payments.port import PaymentRequest
from tests.system_apis.commerce.conformance import listed
from tests.system_apis.commerce.conformance import order as an_order
from tests.system_apis.erp import material

pytestmark = pytest.mark.anyio
SHIP_TO = Address(name="Goods in", street="Kai 1", city="Hamburg", country="DE")
NAMED = AccountDetails(name="Acme", owner="Kim", billing_address=SHIP_TO, shipping_address=SHIP_TO)


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[RecordFiles]:
    files = RecordFiles(tmp_path)
    yield files
    files.close()


def told(changes: Changes) -> list[tuple[str, str, str]]:
    return [(change.kind, change.record_id, change.place) for change in changes.items]


async def test_the_erp_logs_prices_stock_and_invoices_and_nothing_of_its_dataset(files: RecordFiles) -> None:
    system = erp.Connector(erp.Settings(), files, ManualClock())
    await system.start()
    assert await system.list_changes(0, 100) == Changes(items=(), position=(await system.list_changes(0, 1)).position)
    await material.furnish(system)
    await system.put_product(material.product("CT-1"))  # the same price once more
    await system.reserve_stock(material.reservation(("CT-1", 4)), "r-1")
    with pytest.raises(Problem):
        await system.reserve_stock(material.reservation(("CT-1", 40)), "r-2")
    order = await system.post_sales_order(material.order(("CT-1", 1, 1_000)), "o-1")
    invoice = await system.post_invoice(NewInvoice(account_id="CT-A", sales_order_id=order.sales_order_id), "i-1")
    found = await system.list_changes(0, 100)
    assert told(found) == [
        ("price", "CT-1", ""), ("stock", "CT-1", "CT-HOME"), ("stock", "CT-1", "CT-HOME"), ("invoice", invoice.invoice_id, ""),
    ]  # fmt: skip
    assert found.position == found.items[-1].position
    assert told(await system.list_changes(found.items[1].position, 1)) == told(found)[2:3]
    assert await system.list_changes(found.position, 100) == Changes(items=(), position=found.position)
    assert (await system.list_changes(found.position + 10**6, 100)).position == found.position
    await system.stop()


async def test_logistics_logs_the_steps_whose_moment_has_come(files: RecordFiles) -> None:
    clock = ManualClock()
    system = logistics.Connector(logistics.Settings(), files, clock)
    request = ShipmentRequest(
        account_id="ACME", order_reference="ord-1", warehouse="HAM", lines=(ShipmentLine(sku="CT-1", quantity=1),),
        ship_to=SHIP_TO,
    )  # fmt: skip
    shipment = await system.release_shipment(request, "s-1")
    first = await system.list_changes(0, 100)
    clock.advance(10)
    after = await system.list_changes(first.position, 100)
    assert {change.record_id for change in (*first.items, *after.items)} == {shipment.shipment_id}
    assert (await system.get_shipment(shipment.shipment_id)).status == "delivered" and len(after.items) >= 3


async def test_payments_log_captures_and_refunds(files: RecordFiles) -> None:
    system = payments.Connector(payments.Settings(), files, ManualClock())
    amount = Money(500, "EUR")
    request = PaymentRequest(account_id="ACME", order_reference="ord-1", amount=amount, card_token="card_ok")
    payment = await system.authorize(request, "p-1")
    assert (await system.list_changes(0, 10)).items == ()
    for _ in range(2):  # done once under one reference
        await system.capture(payment.payment_id, "ACME", amount, "c-1")
    await system.refund(payment.payment_id, "ACME", Money(100, "EUR"), "f-1")
    assert told(await system.list_changes(0, 10)) == 2 * [("payment", payment.payment_id, "")]


async def test_old_changes_are_dropped(files: RecordFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = log.SCHEMA.replace(str(log.KEPT), "500") + "CREATE TABLE t (x INTEGER) STRICT;"
    file = files.open("kept", schema + log.logged("t", "AFTER INSERT", "stock", "CAST(new.x AS TEXT)"))

    await file.write(lambda c: c.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(1_000)]))
    found = await file.read(lambda c: log.read(c, 0, 1_000, lambda _, record: record))
    assert [change.position for change in found.items] == list(range(501, 1_001))


async def test_crm_and_commerce_log_what_is_theirs_and_nothing_of_their_datasets(files: RecordFiles) -> None:
    clock = ManualClock()
    relations = crm.Connector(crm.Settings(), files, clock)
    storefront = commerce.Connector(commerce.Settings(), files, clock)
    for system in (relations, storefront):
        await system.start()
        assert (await system.list_changes(0, 10)).items == ()
    await relations.put_account("ACME", NAMED)
    assert told(await relations.list_changes(0, 10)) == [("account", "ACME", "")]
    await listed(storefront)
    order = await storefront.create_channel_order(an_order("web_shop"), "w-1")
    assert told(await storefront.list_changes(0, 10)) == [("channel_order", order.channel_order_id, "")]
