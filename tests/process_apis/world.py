"""APIs put together in one process over the embedded systems of record, asked over ASGI by known callers.

``World`` starts what the named APIs stand on, real all the way down; of the policies it has the
ownership policy, and one that takes callers by name.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import httpx2
import msgspec

from governance.bindings.assembly import Assembly, Wiring
from governance.bindings.edge import Edge
from governance.bindings.local import Mode
from governance.bindings.remote import HopClient
from governance.bindings.served import WireLimits
from governance.call import (
    Accounts,
    Call,
    Clock,
    Exchange,
    Handler,
    Policy,
    Principal,
    Stage,
    SystemClock,
    Wrap,
    enter,
    leave,
)
from governance.contract import CursorCodec, Operation, api_of, operation_of
from governance.contract.discovery import DiscoveredApi
from governance.contract.graph import graph
from governance.policies import ownership
from governance.policies.lifecycle import Apis
from governance.telemetry import CallMetrics
from process_apis.flow import FlowRuntime, FlowSettings
from process_apis.quote_to_cash.links import QuoteLinks
from process_apis.returns.v1.service import Returns
from system_apis.commerce.connectors.embedded import connector as commerce
from system_apis.commerce.port import CommercePort
from system_apis.crm.connectors.embedded import connector as crm
from system_apis.crm.port import CrmPort
from system_apis.embedded import RecordFiles
from system_apis.erp.connectors.embedded import connector as erp
from system_apis.erp.port import ErpPort
from system_apis.logistics.connectors.embedded import connector as logistics
from system_apis.logistics.port import LogisticsPort
from system_apis.notifications.connectors.embedded import connector as notifications
from system_apis.notifications.port import NotificationsPort
from system_apis.notifications.v1.service import Notifications
from system_apis.payments.connectors.embedded import connector as payments
from system_apis.payments.port import PaymentsPort
from tests.process_apis.prepared import prepare

Result = TypeVar("Result")
TIERS: frozenset[Any] = frozenset({"system", "process", "experience"})
CALLERS = {
    "acme": Accounts(ids=("ACME",)),
    "globex": Accounts(ids=("GLOBEX",)),
    "nobody": Accounts(),
    "manager": Accounts(reach="all"),
    "platform": Accounts(reach="all"),
    "director": Accounts(reach="all"),
}
GOODS = logistics.Settings(pick_after_s=0, dispatch_after_s=0, deliver_after_s=0)


def principal(name: str) -> Principal:
    return Principal(subject=name, client_id=name, accounts=CALLERS[name])


class ByName(Policy):
    """The bearer token is the caller's name."""

    name = "by-name"
    stage = Stage.IDENTIFY

    def enforce(self, operation: Operation, binding: str) -> Wrap | None:
        if binding != "served":
            return None

        def wrap(inner: Handler) -> Handler:
            def identify(exchange: Exchange) -> Awaitable[Any]:
                headers = exchange.served.headers
                who = principal(headers[b"authorization"].decode().removeprefix("Bearer "))
                exchange.principal = who
                exchange.call = Call(
                    principal=who,
                    operation_id=operation.id,
                    idempotency_key=headers.get(b"idempotency-key", b"").decode() or None,
                    wait_s=float(headers.get(b"prefer", b"wait=0").decode().removeprefix("wait=")),
                )
                return inner(exchange)

            return identify

        return wrap


class World:
    """The services and everything under them, in one event loop that lives between requests."""

    def __init__(
        self,
        home: Path,
        mode: Mode,
        services: Sequence[type[Any]],
        goods: logistics.Settings = GOODS,
        extra: Mapping[Any, Any] = MappingProxyType({}),
    ) -> None:
        clock: Clock = extra.get(Clock, SystemClock())
        self._runner = asyncio.Runner()
        self._files = RecordFiles(home / "systems")
        self._flows = FlowRuntime(extra.get(FlowSettings, FlowSettings(home=home)), clock)
        self.erp = erp.Connector(erp.Settings(), self._files, clock)
        self.crm = crm.Connector(crm.Settings(), self._files, clock)
        self.logistics = logistics.Connector(goods, self._files, clock)
        self.payments = payments.Connector(payments.Settings(), self._files, clock)
        self.notifications = notifications.Connector(notifications.Settings(), self._files, clock)
        self._ports: dict[Any, Any] = {
            ErpPort: self.erp,
            CrmPort: self.crm,
            LogisticsPort: self.logistics,
            PaymentsPort: self.payments,
            CommercePort: commerce.Connector(commerce.Settings(), self._files, clock),
            NotificationsPort: self.notifications,
        }
        apis = [DiscoveredApi(api=api_of(one), service=one, folder=Path()) for one in _with_needed(services)]
        limits = WireLimits()
        wiring = Wiring(
            tiers=TIERS,
            placement={},
            policies=(ByName(), ownership.Enforcement(ownership.Settings(), clock)),
            clock=clock,
            limits=limits,
            mode=mode,
            client=HopClient(),
            credentials=None,
        )
        resources: dict[Any, Any] = {
            Clock: clock,
            CursorCodec: CursorCodec(b"a key of the tests"),
            FlowRuntime: self._flows,
            QuoteLinks: QuoteLinks(b"a key of the tests", "https://portal.example/quotes"),
            CallMetrics: CallMetrics(),
            Apis: Apis({api.api.id: api.api for api in apis}),
            **extra,
        }
        self.assembly = Assembly(graph(apis), wiring, {**resources, **self._ports})
        self.client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=Edge(self.assembly.routes, limits)), base_url="http://gateway"
        )

    @property
    def flows(self) -> FlowRuntime:
        """The flows and Tiergate's own tables."""
        return self._flows

    def start(self) -> None:
        for part in (*self._ports.values(), self._flows):
            self._runner.run(part.start())

    def stop(self) -> None:
        for part in (self._flows, *self._ports.values()):
            self._runner.run(part.stop())
        self._files.close()
        self._runner.close()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """What a coroutine returns, on the world's own loop."""
        return self._runner.run(work)

    def ask(
        self,
        who: str,
        method: str,
        path: str,
        *,
        body: object = None,
        key: str = "",
        wait_s: int = 0,
        query: Mapping[str, str | int] = MappingProxyType({}),
    ) -> httpx2.Response:
        """One request of a caller."""
        headers = {"authorization": f"Bearer {who}"}
        content = None
        if body is not None:
            headers["content-type"] = "application/json"
            content = msgspec.json.encode(body)
        if key:
            headers["idempotency-key"] = key
        if wait_s:
            headers["prefer"] = f"wait={wait_s}"
        return self.run(self.client.request(method, path, headers=headers, params=dict(query), content=content))

    def get(self, who: str, path: str, **query: str | int) -> Any:
        """The body of a GET that must succeed."""
        answer = self.ask(who, "GET", path, query=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def collect(self, who: str, path: str, **query: str | int) -> list[Any]:
        """Every item of a list, page by page to the end."""
        page = self.get(who, path, **query)
        items = list(page["items"])
        while page["next_cursor"]:
            page = self.get(who, path, **{**query, "cursor": page["next_cursor"]})
            assert page["items"], "a cursor led to an empty page"
            items += page["items"]
        return items

    def direct(self, who: str, contract: type[Any], use: Callable[[Any], Coroutine[Any, Any, Result]]) -> Result:
        """What ``use`` gets from a contract's stub, on behalf of a caller, over the local binding."""
        stub = self.assembly.stub("tests.v1", contract, api_of(contract).operations)

        async def called() -> Result:
            token = enter(Call(principal=principal(who), operation_id="tests.v1.use", idempotency_key=str(id(use))))
            try:
                return await use(stub)
            finally:
                leave(token)

        return self.run(called())


def _with_needed(services: Sequence[type[Any]]) -> Sequence[type[Any]]:
    """The services, and those behind them that tests of others need not name."""
    for service in (Returns, Notifications):
        needed = {operation_of(need).api_id for one in services for need in getattr(one, "needs", ())}
        if service not in services and api_of(service).id in needed:
            services = (*services, service)
    return services


@contextmanager
def running(
    home: Path,
    mode: Mode,
    services: Sequence[type[Any]],
    goods: logistics.Settings = GOODS,
    extra: Mapping[Any, Any] = MappingProxyType({}),
) -> Generator[World]:
    """A started world; nothing unexpected may have happened in it by the end."""
    unexpected: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: unexpected.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("tiergate.unexpected")
    logger.addHandler(handler)
    prepare(home)
    world = World(home, mode, services, goods, extra)
    world.start()
    try:
        yield world
    finally:
        world.stop()
        logger.removeHandler(handler)
    assert unexpected == []
