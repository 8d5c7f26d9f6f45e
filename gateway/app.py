"""The composition root: a gateway process put together from its settings, top to bottom.

``build(settings)`` makes the application; ``create_app()`` is the plain ASGI factory that any
server can run (``litestar --app gateway.app:create_app``), reading the settings itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from gateway.composition.account_directory import CrmAccountDirectory
from gateway.composition.application import Tiergate
from gateway.composition.connectors import connectors, vendor_of
from gateway.composition.consumers import reloading
from gateway.composition.egress import egress_of
from gateway.composition.flows import flow_runtime
from gateway.composition.identity import Identities, identities
from gateway.composition.lifetime import Part, lifetime
from gateway.composition.policies import audited, policies
from gateway.composition.processes import process_settings
from gateway.composition.store import StorePart
from gateway.composition.tracing import tracing_of
from gateway.health import health_routes
from gateway.operations_desk import desk_routes
from gateway.operations_page import PATH, OperationsPage
from gateway.settings import TIERS, Settings, load_settings
from governance.bindings.assembly import Assembly, Wiring
from governance.bindings.edge import Edge
from governance.bindings.served import WireLimits
from governance.bindings.shedding import SheddingLimits
from governance.bindings.streams import end_streams
from governance.call import Clock, Foreground, Policy, SystemClock
from governance.consumers import Consumers
from governance.contract import CursorCodec, Operation
from governance.contract.discovery import discover_apis
from governance.contract.graph import Node, graph
from governance.database import Database
from governance.egress import Egress
from governance.egress.hop import HopClient
from governance.identity import TokenVerifier
from governance.issuer import resource_routes
from governance.issuer import routes as issuer_routes
from governance.openapi.routes import routes as document_routes
from governance.policies.audit import AuditFolder
from governance.policies.cors import Enforcement as Cors
from governance.policies.lifecycle import Apis, Uses
from governance.policies.ownership import AccountDirectory
from governance.policies.rate_limit.settings import Plans
from governance.prove.plans import ProverPlans
from governance.report import api_rows, deprecation_rows
from governance.store import Store
from governance.telemetry import CallMetrics, HopLog, Tracing
from governance.webhooks import Inbox, VendorSchemes
from governance.wire.peer import TrustedProxies
from process_apis.events.schemas import routes as event_schema_routes
from process_apis.flow import FlowRuntime
from process_apis.quote_to_cash.links import QuoteLinks
from system_apis.embedded import RecordFiles


def create_app(settings: Settings | None = None) -> Tiergate:
    """The gateway that ``settings`` describe, or else the environment and tiergate.toml."""
    return build(settings or load_settings(os.environ, Path.cwd()))


def build(settings: Settings, clock: Clock | None = None) -> Tiergate:
    """One gateway process as an ASGI application; nothing runs before its lifespan starts.

    Raises:
        ContractError: an API, connector or policy is badly shaped.
        SettingsError: the settings name something that does not exist.
    """
    clock = clock or SystemClock()

    # The contracts, and who may call whom.
    nodes = graph(discover_apis(), settings.grants)
    operations = tuple(operation for node in nodes for operation in node.api.operations)

    # What stands underneath.
    store = StorePart(settings)
    database = Database(settings.home, settings.database.url)
    who = identities(settings, operations, database, clock)
    directory = CrmAccountDirectory()
    foreground = Foreground()
    flows = flow_runtime(settings, clock, foreground)
    resources: dict[Any, Any] = {
        Clock: clock,
        Store: store.store,
        Database: database,
        AccountDirectory: directory,
        FlowRuntime: flows,
        **_of_identity(who),
        **_of_this_home(settings, nodes, store.store, database, clock),
        **process_settings(nodes, settings),
    }
    egress = resources[Egress] = egress_of(settings, resources)
    ports = connectors(nodes, settings, resources)

    # The policies, and the APIs behind them.
    governing = policies(settings, resources)
    audited(governing, operations)
    wiring = _wiring(settings, governing, clock, egress.hops, who)
    assembly = Assembly(nodes, wiring, {**resources, **ports})
    directory.bind(assembly)

    # The application: the edge for operations, pages and documents beside it.
    edge = _edge(settings, assembly, wiring, governing, foreground)
    resources[CallMetrics].include(edge.shedding)
    issuer = [who.issuer] if who.issuer else []
    parts: list[Part] = [store, database, *issuer, egress, *ports.values(), *governing, flows, edge.shedding]
    routes = _routes(settings, assembly, nodes, who, resources)
    application = Tiergate(edge, routes, _proxies(settings), lifespan=[lifetime(parts)])
    application.state.update({"assembly": assembly, "policies": governing, "nodes": nodes, "end_streams": end_streams})
    application.state.update(_operated(operations, who, database, flows))
    return application


def _edge(
    settings: Settings, assembly: Assembly, wiring: Wiring, governing: Sequence[Policy], foreground: Foreground
) -> Edge:
    cors = next(policy for policy in governing if isinstance(policy, Cors))
    gateway = settings.gateway
    shedding = SheddingLimits(most_in_flight=gateway.most_in_flight, most_lag_s=gateway.most_lag_s)
    return Edge(assembly.routes, wiring.limits, cors.preflight, wiring.clock, shedding, foreground)


def _routes(
    settings: Settings, assembly: Assembly, nodes: Sequence[Node], who: Identities, resources: Mapping[Any, Any]
) -> list[Any]:
    """Tokens, health, documents and the operations desk."""
    reports = {"deprecations": partial(deprecation_rows, resources[Apis].values(), resources[Uses], who.consumers)}
    rows = api_rows(nodes, assembly.chains)
    reached = "process" in settings.gateway.tiers or settings.remote_url("process")
    pages = {PATH: OperationsPage(assembly, resources[Clock])} if reached else {}
    return [
        *_identity_routes(who),
        *health_routes(resources[Store], _vendors(settings, nodes)),
        *document_routes([node.api for node in nodes], assembly.policies, public_url=settings.public_url),
        *event_schema_routes(),
        *desk_routes(rows, resources[CallMetrics], resources[HopLog], who.verifier, reports, pages),
    ]


def _operated(
    operations: Sequence[Operation], who: Identities, database: Database, flows: FlowRuntime
) -> dict[str, Any]:
    """What reload and check need of it: how new settings are taken over, whose tables it keeps, which flows it runs."""
    return {
        "reload": reloading(who.consumers, who.users, operations, who.catalogue),
        "migrations": (*database.adopted, *flows.adopted),
        "flows": flows,
    }


def _wiring(
    settings: Settings, governing: Sequence[Policy], clock: Clock, client: HopClient, who: Identities
) -> Wiring:
    gateway = settings.gateway
    return Wiring(
        tiers=frozenset(gateway.tiers),
        placement={tier: settings.remote_url(tier) for tier in TIERS},
        policies=governing,
        clock=clock,
        limits=WireLimits(
            max_body_bytes=gateway.max_body_bytes,
            max_uri_bytes=gateway.max_uri_bytes,
            body_timeout_s=gateway.body_timeout_s,
            https=settings.public_url.startswith("https:"),
        ),
        mode=gateway.local_binding,
        client=client,
        credentials=who.hop_tokens,
    )


def _of_this_home(
    settings: Settings, nodes: Sequence[Node], store: Store, database: Database, clock: Clock
) -> dict[Any, Any]:
    """Where things are kept, what is going away, and what is measured."""
    return {
        RecordFiles: RecordFiles(settings.home / "systems"),
        AuditFolder: AuditFolder(settings.home / "audit"),
        Apis: Apis({node.api.id: node.api for node in nodes}),
        Uses: Uses(store, clock),
        HopLog: HopLog(),
        CallMetrics: CallMetrics(),
        Tracing: tracing_of(settings),
        VendorSchemes: VendorSchemes(),
        Inbox: Inbox(database, clock),
    }


def _of_identity(who: Identities) -> dict[Any, Any]:
    return {
        CursorCodec: who.cursors,
        QuoteLinks: who.quote_links,
        TokenVerifier: who.verifier,
        Consumers: who.consumers,
        Plans: ProverPlans(who.consumers),
    }


def _proxies(settings: Settings) -> TrustedProxies | None:
    gateway = settings.gateway
    return TrustedProxies(gateway.trusted_proxies, gateway.forwarded_header) if gateway.trusted_proxies else None


def _identity_routes(who: Identities) -> list[Any]:
    return list(issuer_routes(who.issuer, who.resources) if who.issuer else resource_routes(who.resources))


def _vendors(settings: Settings, nodes: Sequence[Node]) -> Mapping[str, str]:
    names = [node.api.name for node in nodes if node.api.tier == "system" and "system" in settings.gateway.tiers]
    return {name: vendor_of(name, settings) for name in names}
