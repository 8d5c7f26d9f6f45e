"""An API that takes deliveries, and the vendor that signs them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from governance.bindings.assembly import Assembly, Wiring
from governance.bindings.edge import Edge
from governance.bindings.remote import HopClient
from governance.bindings.served import WireLimits
from governance.call import ManualClock, Policy, current_call
from governance.contract import Contract, Delivery, Operation, api_of, inbound, operation_of
from governance.contract.discovery import DiscoveredApi
from governance.contract.graph import graph
from governance.policies.webhook_signature import Enforcement, Settings, Source
from governance.webhooks import VendorSchemes, standard_key, standard_signature
from tests.governance.bindings.sample_gateway import Reply, ask

SECRET = "whsec_" + b64encode(b"a" * 32).decode()
NEXT_SECRET = "whsec_" + b64encode(b"b" * 32).decode()
OTHER_SECRET = "whsec_" + b64encode(b"c" * 32).decode()
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
BODY = b'{"id": "evt_1", "type": "payment.captured"}'
PATH = "/system/tills/v1/events"
LIMITS = WireLimits(max_body_bytes=2_000)


class Receipt(Struct, frozen=True):
    """What the vendor is told."""

    event_id: str


class TillsV1(Contract, Protocol, owner="Tests", folder="system_apis.tills.v1"):
    """Tills that report by webhook."""

    @inbound("/events", scope="tills.events:receive", public_because="A till's report names no account.")
    async def receive_event(self, delivery: Delivery) -> Receipt:
        """Take what a till reports."""
        ...


class Tills(TillsV1):
    """Remembers what came, and as whom its sender acted."""

    def __init__(self) -> None:
        self.came: list[Delivery] = []
        self.as_whom: list[tuple[str, frozenset[str]]] = []

    async def receive_event(self, delivery: Delivery) -> Receipt:
        principal = current_call().principal
        self.as_whom.append((principal.client_id, principal.scopes))
        self.came.append(delivery)
        return Receipt(delivery.event_id)


class Gateway:
    """The tills behind their policy, at a time that stands still."""

    def __init__(
        self,
        *secrets: str,
        scheme: Any = "",
        failure_burst: int = 50,
        vendors: VendorSchemes | None = None,
        policies: Sequence[Policy] = (),
    ) -> None:
        self.clock = ManualClock(NOW)
        settings = Settings(sources={"tills": Source(secrets=secrets, scheme=scheme)}, failure_burst=failure_burst)
        self.policy = Enforcement(settings, self.clock, vendors)
        wiring = Wiring(
            tiers=frozenset({"system"}),
            placement={},
            policies=(self.policy, *policies),
            clock=self.clock,
            limits=LIMITS,
            mode="direct",
            client=HopClient(),
            credentials=None,
        )
        found = DiscoveredApi(api=api_of(TillsV1), service=Tills, folder=Path())
        self.assembly = Assembly(graph([found]), wiring, {})
        self._edge = Edge(self.assembly.routes, LIMITS)

    @property
    def tills(self) -> Any:
        return self.assembly.services["tills.v1"]

    @property
    def operation(self) -> Operation:
        return operation_of(TillsV1.receive_event)

    async def send_raw(self, raw_headers: list[tuple[bytes, bytes]]) -> Reply:
        """A delivery whose headers are sent byte by byte."""
        return await ask(self._edge, "POST", PATH, raw_headers=raw_headers, body=BODY)

    async def send(self, headers: Mapping[str, str], body: bytes = BODY, target: str = PATH) -> Reply:
        return await ask(self._edge, "POST", target, headers=headers, body=body)


def signed(secret: str = SECRET, body: bytes = BODY, *, event_id: str = "msg_1", at_s: int = NOW_S) -> dict[str, str]:
    """The headers of a delivery as Standard Webhooks has them."""
    signature = standard_signature([standard_key(secret)], event_id, at_s, body)
    return {"webhook-id": event_id, "webhook-timestamp": str(at_s), "webhook-signature": signature}
