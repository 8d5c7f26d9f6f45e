"""Embedded systems of record and the order flow over them, without HTTP: one world in one folder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from governance.bindings.assembly import Assembly, Wiring
from governance.bindings.remote import HopClient
from governance.bindings.served import WireLimits
from governance.call import Accounts, Call, Clock, Principal, SystemClock, enter, leave
from governance.contract import CursorCodec, api_of
from governance.contract.discovery import DiscoveredApi
from governance.contract.graph import graph
from governance.policies.ownership import Enforcement as Ownership
from governance.policies.ownership import Settings as OwnershipSettings
from process_apis.flow import FlowRuntime, FlowSettings
from process_apis.order_to_fulfillment.settings import OrderSettings
from process_apis.order_to_fulfillment.v1.contract import OrderToFulfillmentV1
from process_apis.order_to_fulfillment.v1.model import NewOrder, NewOrderLine, Order
from process_apis.order_to_fulfillment.v1.service import OrderToFulfillment
from process_apis.returns.v1.service import Returns
from system_apis.commerce.connectors.embedded.connector import Connector as Commerce
from system_apis.commerce.connectors.embedded.connector import Settings as CommerceSettings
from system_apis.commerce.port import CommercePort
from system_apis.commerce.v1.service import Commerce as CommerceService
from system_apis.crm.connectors.embedded.connector import Connector as Crm
from system_apis.crm.connectors.embedded.connector import Settings as CrmSettings
from system_apis.crm.port import CrmPort
from system_apis.crm.v1.service import Crm as CrmService
from system_apis.embedded import RecordFiles
from system_apis.erp.connectors.embedded.connector import Connector as Erp
from system_apis.erp.connectors.embedded.connector import Settings as ErpSettings
from system_apis.erp.port import ErpPort
from system_apis.erp.v1.service import Erp as ErpService
from system_apis.logistics.connectors.embedded.connector import Connector as Logistics
from system_apis.logistics.connectors.embedded.connector import Settings as LogisticsSettings
from system_apis.logistics.port import LogisticsPort
from system_apis.logistics.v1.service import Logistics as LogisticsService
from system_apis.notifications.connectors.embedded.connector import Connector as Notifications
from system_apis.notifications.connectors.embedded.connector import Settings as NotificationsSettings
from system_apis.notifications.port import NotificationsPort
from system_apis.notifications.v1.service import Notifications as NotificationsService
from system_apis.payments.connectors.embedded.connector import Connector as Payments
from system_apis.payments.connectors.embedded.connector import Settings as PaymentsSettings
from system_apis.payments.port import PaymentsPort
from system_apis.payments.v1.service import Payments as PaymentsService
from tests.process_apis.prepared import prepare

SERVICES: tuple[type[Any], ...] = (
    ErpService, CrmService, PaymentsService, LogisticsService, CommerceService, NotificationsService, Returns,
    OrderToFulfillment,
)  # fmt: skip
EVERYBODY = Accounts(reach="all")


class World:
    """Everything that one process holds."""

    def __init__(
        self,
        home: Path,
        *,
        clock: Clock | None = None,
        dispatch_s: float = 0.05,
        wrap: Any = None,
        settings: FlowSettings | None = None,
        rules: OrderSettings | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self.clock = clock
        self.files = RecordFiles(home / "systems")
        self.erp = Erp(ErpSettings(), self.files, clock)
        self.crm = Crm(CrmSettings(), self.files, clock)
        self.payments = Payments(PaymentsSettings(), self.files, clock)
        moving = LogisticsSettings(pick_after_s=0, dispatch_after_s=dispatch_s, deliver_after_s=3_600)
        self.logistics = Logistics(moving, self.files, clock)
        self.commerce = Commerce(CommerceSettings(), self.files, clock)
        self.notifications = Notifications(NotificationsSettings(), self.files, clock)
        self.systems: tuple[Any, ...] = (
            self.erp, self.crm, self.payments, self.logistics, self.commerce, self.notifications,
        )  # fmt: skip
        if settings is None or not settings.database_url:
            prepare(home)
        self.flows = FlowRuntime(settings or FlowSettings(home=home), clock)
        wrap = wrap or (lambda port: port)
        resources: dict[Any, Any] = {
            ErpPort: wrap(self.erp),
            CrmPort: wrap(self.crm),
            PaymentsPort: wrap(self.payments),
            LogisticsPort: wrap(self.logistics),
            CommercePort: wrap(self.commerce),
            NotificationsPort: wrap(self.notifications),
            FlowRuntime: self.flows,
            CursorCodec: CursorCodec(b"a key of the tests"),
            Clock: clock,
        }
        if rules is not None:
            resources[OrderSettings] = rules
        self.orders = orders_over(resources, clock)

    async def __aenter__(self) -> World:
        for part in self.systems:
            await part.start()
        await self.flows.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.flows.stop()
        for part in self.systems:
            await part.stop()
        self.files.close()

    @contextmanager
    def calling(
        self,
        key: str | None = None,
        *,
        wait_s: float = 0,
        accounts: Accounts = EVERYBODY,
        who: str = "tester",
    ) -> Iterator[None]:
        """Act as a client of the tests; ``key`` is what it sent as Idempotency-Key."""
        principal = Principal(subject=who, client_id="tests", accounts=accounts)
        token = enter(Call(principal=principal, operation_id="tests.v1.run", idempotency_key=key, wait_s=wait_s))
        try:
            yield
        finally:
            leave(token)

    async def place(self, key: str, order: NewOrder, *, wait_s: float = 10) -> Order:
        """Place an order and wait for how it ends."""
        with self.calling(key, wait_s=wait_s):
            return await self.orders.place_order(order)


def orders_over(resources: dict[Any, Any], clock: Clock) -> OrderToFulfillmentV1:
    """Order to fulfillment and everything under it, put together in verify mode."""
    nodes = graph(DiscoveredApi(api=api_of(one), service=one, folder=Path()) for one in SERVICES)
    wiring = Wiring(
        tiers=frozenset({"system", "process"}),
        placement={},
        policies=[Ownership(OwnershipSettings(), clock)],
        clock=clock,
        limits=WireLimits(),
        mode="verify",
        client=HopClient(),
        credentials=None,
    )
    assembly = Assembly(nodes, wiring, resources)
    return assembly.stub("tests.v1", OrderToFulfillmentV1, api_of(OrderToFulfillmentV1).operations)


def an_order(account_id: str, *lines: tuple[str, int], reference: str = "PO-1", **more: Any) -> NewOrder:
    """An order of the portal; one under the default reference is meant however often it comes."""
    more = {"channel": "portal", "repeat": reference == "PO-1"} | more
    stated = tuple(NewOrderLine(sku=sku, quantity=quantity) for sku, quantity in lines)
    return NewOrder(account_id=account_id, reference=reference, lines=stated, **more)


async def left_over(world: World, order: Order) -> list[str]:
    """What any system still holds for an order that ended without goods."""
    erp = await world.erp.ledger()
    held = [f"reservation {one.reference}" for one in erp.reservations if one.status == "held"]
    posted = [
        f"order {one.sales_order_id}"
        for one in erp.orders
        if (one.customer_reference, one.account_id) == (order.reference, order.account_id) and one.status == "posted"
    ]
    money = [
        f"payment {one.reference}"
        for one in await world.payments.ledger()
        if one.order_reference == order.order_id and one.status != "voided"
    ]
    goods = [
        f"shipment {one.shipment_id}"
        for one in await world.logistics.ledger()
        if one.order_reference == order.order_id and one.status != "cancelled"
    ]
    return [*held, *posted, *money, *goods, *erp.discrepancies]


def run(scenario: Any) -> Any:
    """Run a coroutine to its end on a loop of its own."""
    return asyncio.run(scenario)
