"""The CRM system API over its real record file and a real store, under the idempotency policy, as one process serves it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from governance.bindings.assembly import Assembly, Wiring
from governance.bindings.edge import Edge
from governance.bindings.remote import HopClient
from governance.bindings.served import WireLimits
from governance.call import Accounts, Call, Exchange, Handler, Policy, Principal, Stage, SystemClock, Wrap
from governance.contract import CursorCodec, Operation
from governance.contract.discovery import discover_apis
from governance.contract.graph import graph
from governance.policies.idempotency import Enforcement, Settings
from governance.store import Store
from system_apis.crm.connectors.embedded.connector import Connector
from system_apis.crm.connectors.embedded.connector import Settings as CrmSettings
from system_apis.crm.port import CrmPort
from system_apis.embedded import RecordFiles

LEASE_S = 1
CALLER = Principal(subject="prover", client_id="prover", accounts=Accounts(ids=("ACME",), reach="all"))
EFFECTS = ("cases", "contacts")
"""What a run makes one of; its seed stands in the record."""


class KnownCaller(Policy):
    """Every request comes from the same caller."""

    name = "known_caller"
    stage = Stage.IDENTIFY

    def enforce(self, operation: Operation, binding: str) -> Wrap:
        def wrap(inner: Handler) -> Handler:
            def identify(exchange: Exchange) -> Any:
                exchange.principal = CALLER
                exchange.call = Call(principal=CALLER, operation_id=operation.id)
                return inner(exchange)

            return identify

        return wrap


class World(Struct, frozen=True, kw_only=True):
    """One process's share of it."""

    edge: Edge
    store: Store
    crm: Connector


@asynccontextmanager
async def crm_world(home: Path, socket: str) -> AsyncIterator[World]:
    """The world on this home and store; several processes may be in it at once."""
    clock = SystemClock()
    store = Store(socket)
    files = RecordFiles(home)
    crm = Connector(CrmSettings(), files, clock)
    wiring = Wiring(
        tiers=frozenset({"system"}),
        placement={},
        policies=(KnownCaller(), Enforcement(Settings(lease_s=LEASE_S), store)),
        clock=clock,
        limits=WireLimits(),
        mode="direct",
        client=HopClient(),
        credentials=None,
    )
    apis = tuple(found for found in discover_apis(("system",)) if found.api.name == "crm")
    assembly = Assembly(graph(apis), wiring, {CrmPort: crm, CursorCodec: CursorCodec(b"k" * 32)})
    await store.start()
    await crm.start()
    try:
        yield World(edge=Edge(assembly.routes, WireLimits()), store=store, crm=crm)
    finally:
        await store.close()
        files.close()


def body_of(effect: str, seed: int) -> bytes:
    """A valid request body whose record names the seed."""
    mark = f"seed {seed}"
    bodies = {"cases": {"subject": mark}, "contacts": {"name": mark, "email": f"{seed}@acme.example"}}
    return json.dumps({"account_id": "ACME", **bodies[effect]}).encode()
