"""What happens in the systems of record comes into the log once, whoever reads it, and wakes the flows that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from governance.call import ManualClock
from governance.contract import api_of, operation_of
from governance.contract.refusals import SystemUnavailable
from process_apis.events import gathering
from process_apis.events.gathering import Gathering, Source
from process_apis.events.kind import happened, of_record
from process_apis.events.log import Wanted, events_after
from process_apis.events.outbox import append
from process_apis.events.systems import sources
from process_apis.events.taxonomy.order import OrderConfirmed
from process_apis.events.taxonomy.payment import PaymentCaptured
from process_apis.events.translation import PAYMENTS, Translation
from process_apis.events.v1.service import Events
from process_apis.flow.tables import flows as flow_rows
from process_apis.flow.tables import signals
from system_apis.canonical.changes import Changes
from system_apis.canonical.entities import ShipmentLine
from system_apis.canonical.values import Money
from system_apis.crm.v1.service import Crm
from system_apis.erp.documents import NewInvoice, StockLevel
from system_apis.erp.v1.contract import ErpV1
from system_apis.erp.v1.service import Erp
from system_apis.logistics.connectors.embedded.connector import Settings as Goods
from system_apis.logistics.port import ShipmentRequest
from system_apis.logistics.v1.contract import LogisticsV1
from system_apis.logistics.v1.service import Logistics
from system_apis.payments.port import PaymentRequest
from system_apis.payments.v1.contract import PaymentsV1
from system_apis.payments.v1.service import Payments
from tests.process_apis.world import World, running
from tests.system_apis.erp import material

EUR = Money(2_000, "EUR")


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world whose own gathering does not begin: the tests look for themselves."""

    async def rest(_: Gathering) -> None:
        return

    monkeypatch.setattr(Gathering, "start", rest)
    still = Goods(pick_after_s=0, dispatch_after_s=0, deliver_after_s=0)
    home = tmp_path_factory.mktemp("gathering")
    with running(home, "verify", (Erp, Crm, Logistics, Payments, Events), goods=still) as world:
        yield world


def gatherer(world: World, *more: Source, clock: Any = None) -> Gathering:
    def stub(contract: Any) -> Any:
        return world.assembly.stub("events.v1", contract, needed(contract))

    erp, logistics, payments = stub(ErpV1), stub(LogisticsV1), stub(PaymentsV1)
    every = (*more, *sources(erp, logistics, payments))
    return Gathering(world.flows, clock or ManualClock(), Translation(erp, logistics, payments), every)


def needed(contract: Any) -> list[Any]:
    return [one for one in map(operation_of, Events.needs) if one.api_id == api_of(contract).id]


def told(world: World, *types: str) -> list[tuple[str, str, int]]:
    found = world.run(world.flows.read(lambda c: events_after(c, 0, 1_000, Wanted(types=types))))
    return [(event.type, event.subject, event.sequence) for event in found]


def send(world: World, order_id: str, reference: str = "s-1") -> str:
    request = ShipmentRequest(
        account_id="ACME", order_reference=order_id, warehouse="HAM",
        lines=(ShipmentLine(sku="BRG-6204", quantity=1),), ship_to=material.SHIP_TO,
    )  # fmt: skip
    return world.run(world.logistics.release_shipment(request, reference)).shipment_id


def test_a_shipment_is_told_of_step_by_step_and_only_once(world: World) -> None:
    send(world, "ord-1")
    assert world.run(gatherer(world).look()) == 3
    steps = [("shipment.created", "ord-1", 1), ("shipment.dispatched", "ord-1", 2), ("shipment.delivered", "ord-1", 3)]
    assert told(world, "shipment.*") == steps
    assert world.run(gatherer(world).look()) == 0
    send(world, "ord-2", "s-2")
    assert world.run(gatherer(world).look()) == 3
    assert told(world, "shipment.*")[:3] == steps


def test_prices_and_stock_are_told_of_to_nobody_in_particular(world: World) -> None:
    world.run(gatherer(world).look())
    world.run(material.furnish(world.erp))
    world.run(world.erp.put_stock("CT-HOME", "CT-1", StockLevel(on_hand=7, country="DE")))
    world.run(world.erp.put_stock("CT-HOME", "CT-1", StockLevel(on_hand=8, country="DE")))
    assert world.run(gatherer(world).look()) == 2
    events = world.run(world.flows.read(lambda c: events_after(c, 0, 10)))
    assert [(event.type, event.subject, event.account_id, event.source) for event in events] == [
        ("price.changed", "CT-1", None, "/system/erp/v1"), ("stock.changed", "CT-1", None, "/system/erp/v1"),
    ]  # fmt: skip
    assert bytes(events[1].data) == b'{"sku":"CT-1","warehouse":"CT-HOME","available":8}'


def test_what_the_flow_told_is_not_told_again(world: World) -> None:
    request = PaymentRequest(account_id="ACME", order_reference="ord-1", amount=EUR, card_token="card_ok")
    payments: Any = world.payments
    payment = world.run(payments.authorize(request, "p-1"))
    world.run(payments.capture(payment.payment_id, "ACME", EUR, "c-1"))
    data = PaymentCaptured(payment_id=payment.payment_id, account_id="ACME", order_id="ord-1", amount=EUR)
    source_id = of_record(data, f"{payment.payment_id}:{EUR.amount_minor}")
    event = happened(data, subject="ord-1", account_id="ACME", source=PAYMENTS, source_id=source_id)
    world.run(world.flows.write(lambda c: append(c, (event,), ManualClock().now())))
    assert world.run(gatherer(world).look()) == 0
    world.run(payments.refund(payment.payment_id, "ACME", Money(500, "EUR"), "f-1"))
    assert world.run(gatherer(world).look()) == 1
    assert told(world) == [("payment.captured", "ord-1", 1), ("payment.refunded", "ord-1", 2)]


def test_an_invoice_belongs_to_its_order_where_that_is_known(world: World) -> None:
    world.run(material.furnish(world.erp))
    numbers: list[str] = []
    for name in ("o-1", "o-2"):
        order = world.run(world.erp.post_sales_order(material.order(("CT-1", 1, 1_000)), name))
        request = NewInvoice(account_id="CT-A", sales_order_id=order.sales_order_id)
        numbers += [order.sales_order_id, world.run(world.erp.post_invoice(request, f"i-{name}")).invoice_id]
    data = OrderConfirmed(order_id="ord-1", account_id="CT-A", sales_order_id=numbers[0], total=EUR)
    event = happened(data, subject="ord-1", account_id="CT-A")
    world.run(world.flows.write(lambda c: append(c, (event,), ManualClock().now())))
    world.run(gatherer(world).look())
    assert told(world, "invoice.*") == [("invoice.posted", "ord-1", 2), ("invoice.posted", numbers[3], 1)]


def test_two_who_read_at_once_write_nothing_twice(world: World) -> None:

    for number in range(5):
        send(world, f"ord-{number}", f"s-{number}")

    async def both() -> int:
        return sum(await asyncio.gather(*(gatherer(world).look() for _ in range(4))))

    assert world.run(both()) == 15
    assert len(told(world)) == 15


def test_a_system_that_is_away_holds_up_no_other(world: World, caplog: pytest.LogCaptureFixture) -> None:
    asked: list[int] = []

    async def away(after: int, limit: int) -> Changes:
        asked.append(after)
        raise SystemUnavailable(detail="It is down.")

    send(world, "ord-1")
    clock = ManualClock()
    reader = gatherer(world, Source(name="vendor", changes=away), clock=clock)
    assert world.run(reader.look()) == 3
    world.run(reader.look())
    assert len(asked) == 1
    clock.advance(1.5)
    world.run(reader.look())
    assert len(asked) == 2
    assert [record.getMessage() for record in caplog.records if "vendor" in record.getMessage()] == [
        "vendor: changes can't be read now: It is down."
    ]


def test_one_process_reads_until_its_lease_is_over(world: World) -> None:
    clock = ManualClock()
    first, second = gatherer(world, clock=clock), gatherer(world, clock=clock)
    assert (world.run(first.holds()), world.run(second.holds()), world.run(first.holds())) == (True, False, True)
    clock.advance(gathering.LEASE_S - 1)
    assert (world.run(second.holds()), world.run(first.holds()), world.run(second.holds())) == (False, True, False)
    clock.advance(gathering.LEASE_S + 1)
    assert (world.run(second.holds()), world.run(first.holds())) == (True, False)


def test_a_flow_that_goes_on_hears_of_its_shipment(world: World) -> None:
    row = {
        "flow_id": "ord-1", "flow": "f", "account_id": "ACME", "fingerprint": "", "key": "k", "initiator": "{}",
        "started_us": 1,
    }  # fmt: skip
    world.run(world.flows.write(lambda c: c.execute(sa.insert(flow_rows), row).rowcount))
    shipment_id = send(world, "ord-1")
    send(world, "ord-unknown", "s-2")
    world.run(gatherer(world).look())
    heard = world.run(
        world.flows.read(lambda c: c.execute(sa.select(signals.c.flow_id, signals.c.name, signals.c.body)).all())
    )
    assert [tuple(one) for one in heard] == [("ord-1", "shipment", shipment_id.encode())]
