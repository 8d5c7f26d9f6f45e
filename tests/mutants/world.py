"""One whole gateway with records in it; for each mutant its operation is assembled anew, with the fault in place."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.app import build
from gateway.composition.application import Tiergate
from gateway.serving.lifespan import Lifespan
from gateway.settings import Settings, load_settings
from governance.bindings.edge import Edge
from governance.bindings.routes import Routes
from governance.bindings.served import WireLimits, served
from governance.call import Policy, Probe, SystemClock, TokenKind
from governance.contract import Api, Operation
from governance.identity import KeyFile, PeerFailures, TokenVerifier
from governance.openapi.document import document, encoded
from governance.prove import Prober, ProbeTokens, Proof, Reply, sample_of
from governance.prove.published import Published
from governance.prove.records import arguments_of_records
from governance.prove.run import Subject, prove_operation
from tests.governance.bindings.sample_gateway import ask
from tests.mutants.mutant import Fault, Variant

ACCOUNT = "ACME"
ORIGIN = "https://portal.example"
CONFIGURATION = f"""
[policies.authentication]
failure_burst = 100000

[consumers.shop]
name = "A shop with a page"
scopes = ["portal.products:read"]
accounts = ["ACME"]
origins = ["{ORIGIN}"]
"""
"""Bad tokens as many as there are probes, and a consumer whose page may read its answers."""
CLOCK = SystemClock()


class MutantTokens:
    """Tokens of clients that no other mutant has, so that no limit is shared."""

    def __init__(self, tokens: ProbeTokens, run: str) -> None:
        self._tokens = tokens
        self._run = run

    def token(self, kind: TokenKind, operation: Operation, client: str = "", scopes: Iterable[str] = ()) -> str | None:
        own = client if client.startswith("prover-burst:") else f"{self._run}:{client}"
        return self._tokens.token(kind, operation, own, scopes)


class Asked(Subject, frozen=True, kw_only=True):
    """A subject whose probes stand already."""

    asked: tuple[Probe, ...]

    def probes(self, operation: Operation) -> Iterator[Probe]:
        yield from self.asked


class World:
    """The running gateway that mutants are made of."""

    def __init__(self, application: Tiergate, settings: Settings) -> None:
        self.application = application
        state = application.state
        self.policies: tuple[Policy, ...] = state.policies
        self.apis: tuple[Api, ...] = tuple(node.api for node in state.nodes)
        every = [operation for api in self.apis for operation in api.operations]
        self.operations = {operation.id: operation for operation in every if not operation.inbound}
        self._services: Mapping[str, object] = state.assembly.services
        self.limits = WireLimits(
            max_body_bytes=settings.gateway.max_body_bytes, max_uri_bytes=settings.gateway.max_uri_bytes
        )
        self._subjects: dict[str, Subject] = {}
        key = KeyFile(settings.home / "keys" / "issuer.json").load_or_create()[0]
        self.tokens = ProbeTokens(key=key, issuer=settings.public_url, clock=CLOCK, accounts=(ACCOUNT,))
        self._numbers = itertools.count()
        self.arguments: Mapping[str, Mapping[str, Any]] = {}

    async def settle(self) -> None:
        """Make a record of each kind that samples can make, and learn which are there."""
        for operation in self.operations.values():
            if operation.kind == "create" and operation.tier == "system":
                sample = sample_of(operation, key=f"settle-{operation.id}")
                token = self.tokens.token("valid", operation, "settler")
                headers = {**sample.headers, "Authorization": f"Bearer {token}"}
                await self.send(self.application, sample.method, sample.target, headers, sample.body)

        async def send(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
            return await self.send(self.application, method, target, headers, body)

        self.arguments = await arguments_of_records(self.apis, self.operations.values(), send, self.tokens, ACCOUNT)

    async def send(self, app: Any, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        """One request."""
        try:
            answer = await ask(app, method, target, headers=headers, body=body)
        except AssertionError:  # a mutant that says the same header twice
            return Reply(status=599)
        return Reply(status=answer.status, headers=answer.headers, body=answer.body)

    async def prove(self, fault: Fault | None, operation: Operation) -> list[Proof]:
        """What is proved of an operation with a fault in place, or of the whole one."""
        self._subject(operation)
        if fault is None:
            return await self._prove(self._application(self.variant(operation)), operation)
        with fault.patch():
            return await self._prove(self._application(fault.change(self.variant(operation))), operation)

    async def _prove(self, app: Any, operation: Operation) -> list[Proof]:
        async def send(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
            return await self.send(app, method, target, headers, body)

        async def at_once(_: float) -> None:
            """No mutant is waited for."""

        run = f"m{next(self._numbers)}"
        tokens = MutantTokens(self.tokens, run)
        prober = Prober(send, tokens, run=run, account=ACCOUNT, arguments=self.arguments, sleep=at_once)
        published = Published(send)
        await published.load([self._api(operation)], [operation.tier])
        return await prove_operation(self._subject(operation), operation, prober, published)

    def _subject(self, operation: Operation) -> Subject:
        """What is asked of the operation, as it was before any fault was planted."""
        if operation.id not in self._subjects:
            whole = Subject(apis=self.apis, policies=self.policies)
            asked = tuple(whole.probes(operation))
            self._subjects[operation.id] = Asked(apis=self.apis, policies=self.policies, asked=asked)
        return self._subjects[operation.id]

    def variant(self, operation: Operation) -> Variant:
        """The whole parts, with nothing remembered from other mutants."""
        return Variant(
            operation=operation, policies=[self._fresh(policy) for policy in self.policies], limits=self.limits
        )

    def _fresh(self, policy: Policy) -> Policy:
        fresh: Any = copy.copy(policy)
        if policy.name == "authentication":
            verifier: TokenVerifier = copy.copy(fresh._verifier)
            verifier._caches = {}
            fresh._verifier = verifier
            fresh._failures = PeerFailures(CLOCK, burst=100_000, per_second=1.0)
        if policy.name == "rate_limit":
            fresh._books = {}
        found: Policy = fresh
        return found

    def _api(self, operation: Operation) -> Api:
        return next(api for api in self.apis if api.id == operation.api_id)

    def _application(self, variant: Variant) -> Callable[[Any, Any, Any], Awaitable[None]]:
        """The gateway of one operation and those that share its path; everything else is the whole one's."""
        api = self._api(variant.operation)
        routes = Routes()
        for operation in api.operations:
            if operation.path == variant.operation.path:
                own = variant.operation if operation.id == variant.operation.id else operation
                routes.add(own, served(own, self._services[api.id], variant.policies, CLOCK, variant.limits)[0])
        routes.seal()
        cors: Any = next((policy for policy in variant.policies if policy.name == "cors"), None)
        edge = Edge(routes, variant.limits, cors.preflight if cors is not None else None, CLOCK)
        described = encoded(variant.document(json.loads(encoded(document(api, self.policies)))))
        metadata = f"/.well-known/oauth-protected-resource/{variant.operation.tier}"

        async def application(scope: Any, receive: Any, send: Any) -> None:
            spoiling = _spoiling(variant, scope, send)
            if edge.owns(scope["raw_path"]):
                await edge(variant.ask(scope), receive, spoiling)
            elif scope["path"].startswith("/openapi/"):
                await spoiling({"type": "http.response.start", "status": 200, "headers": []})
                await spoiling({"type": "http.response.body", "body": described})
            elif scope["path"] == metadata:
                await self.application(scope, receive, spoiling)
            else:
                await self.application(scope, receive, send)

        return application


def _spoiling(variant: Variant, scope: Any, send: Any) -> Callable[[Any], Awaitable[None]]:
    started: list[Any] = []

    async def spoiling(message: Any) -> None:
        if message["type"] == "http.response.start":
            started.append(message)
            return
        status, headers, body = variant.spoil(scope, started[0]["status"], list(started[0]["headers"]), message["body"])
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return spoiling


def representatives(world: World) -> Sequence[Operation]:
    """One operation of each tier, method and way in which it names its accounts; one with a record where there is one."""
    found: dict[tuple[Any, ...], Operation] = {}
    for operation in sorted(world.operations.values(), key=lambda one: (one.id not in world.arguments, one.id)):
        fields = set(operation.visibility.fields)
        named = bool({parameter.name for parameter in operation.parameters} & fields)
        found.setdefault((operation.tier, operation.method, operation.keyed, bool(fields), named), operation)
    return tuple(sorted(found.values(), key=lambda one: one.id))


@asynccontextmanager
async def running(home: Path) -> AsyncIterator[World]:
    """The whole gateway, in process, with its records."""
    (home / "tiergate.toml").write_text(CONFIGURATION)
    settings = load_settings({"TIERGATE_HOME": str(home)}, home)
    application = build(settings)
    life = Lifespan(application)
    await life.start()
    try:
        world = World(application, settings)
        await world.settle()
        yield world
    finally:
        await life.stop()
