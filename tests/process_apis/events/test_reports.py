"""What only a vendor's webhook tells comes into the log once, and to the flow that it concerns."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from governance.call import SystemClock
from governance.contract import Delivery
from governance.contract.refusals import SystemUnavailable
from governance.database import Database
from governance.egress import Egress
from governance.webhooks import Inbox
from process_apis.events.event import Event
from process_apis.events.log import events_after
from process_apis.events.reports import Read, Report, Reports
from process_apis.events.trouble import PaymentTrouble
from process_apis.flow.tables import signals
from process_apis.order_to_fulfillment.channel_reports import ChannelReports
from process_apis.subscriptions.v1.service import Subscriptions
from system_apis.canonical.values import Money
from system_apis.commerce.v1.contract import CommerceV1
from system_apis.commerce.v1.service import Commerce
from system_apis.notifications.v1.service import Notifications
from system_apis.payments.port import PaymentRequest
from system_apis.payments.v1.contract import PaymentsV1
from system_apis.payments.v1.service import Payments
from tests.process_apis.world import World, running

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EUR = Money(2_000, "EUR")


class Vendors:
    """A world whose inbox is filled as by vendors that signed."""

    def __init__(self, world: World, inbox: Inbox) -> None:
        self.world = world
        self.inbox = inbox
        contracts: tuple[Any, ...] = (PaymentsV1.list_notices, PaymentsV1.get_payment)
        payments = world.assembly.stub("events.v1", PaymentsV1, [one.__operation__ for one in contracts])
        commerce_needs: tuple[Any, ...] = (CommerceV1.list_notices, CommerceV1.get_channel_order)
        commerce = world.assembly.stub(
            "order_to_fulfillment.v1", CommerceV1, [one.__operation__ for one in commerce_needs]
        )
        self.trouble = self.reports("payments reports", PaymentTrouble(_any(payments)).read)
        self.channels = self.reports("commerce reports", ChannelReports(_any(commerce)).read)

    def reports(self, source: str, read: Any) -> Reports:
        return Reports(self.world.flows, SystemClock(), source, read, api="events.v1")

    def deliver(self, system: str, event_id: str, **notice: Any) -> None:
        delivery = Delivery(system=system, event_id=event_id, sent_at=NOW, body=b"{}")
        kept = msgspec.json.encode({"occurred_at": NOW, **notice}).decode()
        self.world.run(self.inbox.keep(delivery, kept))

    def payment(self, order: str) -> str:
        request = PaymentRequest(account_id="ACME", order_reference=order, amount=EUR, card_token="card_ok")
        return self.world.run(self.world.payments.authorize(request, f"ref-{order}")).payment_id

    def events(self) -> list[Event]:
        return self.world.run(self.world.flows.read(partial(events_after, position=0, limit=100)))

    def signals(self, flow_id: str) -> list[tuple[str, bytes]]:
        query = sa.select(signals.c.name, signals.c.body).where(signals.c.flow_id == flow_id)
        rows = self.world.run(self.world.flows.read(lambda connection: connection.execute(query).all()))
        return [(row.name, row.body) for row in rows]


def _any(stub: object) -> Any:
    return stub


@pytest.fixture
def vendors(tmp_path: Path) -> Iterator[Vendors]:
    database = Database(tmp_path)
    inbox = Inbox(database, SystemClock())
    services = (Payments, Commerce, Notifications, Subscriptions)  # the last has the log kept
    with running(tmp_path, "verify", services, extra={Inbox: inbox, Egress: Egress()}) as world:
        world.run(database.start())
        yield Vendors(world, inbox)
        world.run(database.stop())


def test_a_disputed_payment_is_an_event_of_its_order_and_wakes_its_flow_once(vendors: Vendors) -> None:
    payment_id = vendors.payment("ord-1")
    for event_id, kind in (("e-1", "disputed"), ("e-2", "captured"), ("e-3", "failed")):
        vendors.deliver("payments", event_id, kind=kind, payment_id=payment_id, reason="stolen", amount=EUR)
    assert vendors.world.run(vendors.trouble.look()) == 2
    assert vendors.world.run(vendors.trouble.look()) == 0
    found = [(one.type, one.subject, one.account_id) for one in vendors.events()]
    assert found == [("payment.disputed", "ord-1", "ACME"), ("payment.failed", "ord-1", "ACME")]
    assert vendors.signals("ord-1") == [("payment", payment_id.encode())] * 2


def test_a_notice_of_a_record_that_is_not_there_says_nothing(vendors: Vendors) -> None:
    vendors.deliver("payments", "e-1", kind="disputed", payment_id="PAY-999999")
    vendors.deliver("commerce", "e-1", kind="created", channel_order_id="CHO-999999")
    assert vendors.world.run(vendors.trouble.look()) == 0
    assert vendors.world.run(vendors.channels.look()) == 0
    assert vendors.events() == []


def test_a_channels_order_is_told_when_it_is_made_and_when_it_is_taken_back(vendors: Vendors) -> None:
    order = vendors.world.collect("platform", "/system/commerce/v1/channel-orders")[0]
    for event_id, kind in (("e-1", "created"), ("e-2", "cancelled"), ("e-1", "created")):
        vendors.deliver("commerce", event_id, kind=kind, channel_order_id=order["channel_order_id"], reason="changed")
    assert vendors.world.run(vendors.channels.look()) == 2
    told = vendors.events()
    assert [(one.type, one.subject) for one in told] == [
        ("channel_order.created", order["channel_order_id"]),
        ("channel_order.cancelled", order["channel_order_id"]),
    ]
    assert msgspec.json.decode(told[1].data)["reason"] == "changed"


def test_who_dies_between_telling_and_keeping_tells_again_and_is_heard_once(vendors: Vendors) -> None:
    async def once(after: int, limit: int) -> Read:
        if after:
            return Read(reports=(), position=after)
        return Read(reports=(Report(flow_id="ord-2", signal="payment", source_id="e-1"),), position=7)

    class Dies(Reports):
        def _keep(self, *_: Any, **__: Any) -> int:
            raise SystemUnavailable(detail="killed")

    dying = Dies(vendors.world.flows, SystemClock(), "elsewhere", once, api="events.v1")
    with pytest.raises(SystemUnavailable):
        vendors.world.run(dying.look())
    vendors.world.run(vendors.reports("elsewhere", once).look())
    assert vendors.signals("ord-2") == [("payment", b"")]


def test_it_goes_on_by_itself_until_it_is_stopped(vendors: Vendors) -> None:
    async def scenario() -> None:
        await vendors.trouble.start()
        await asyncio.sleep(0)
        await vendors.trouble.stop()

    vendors.world.run(scenario())
