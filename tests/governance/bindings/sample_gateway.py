"""The sample APIs put together, with an HTTP client that speaks ASGI to them, and callers of all four kinds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import unquote_to_bytes

from governance.bindings.assembly import Assembly, Wiring
from governance.bindings.edge import Edge, Preflight
from governance.bindings.local import Mode
from governance.bindings.remote import HopClient
from governance.bindings.served import WireLimits
from governance.call import (
    Accounts,
    Answer,
    Call,
    Clock,
    Exchange,
    Handler,
    ManualClock,
    Policy,
    Principal,
    Stage,
    SystemClock,
    Wrap,
    enter,
    leave,
)
from governance.contract import CursorCodec, Operation, api_of
from governance.contract.graph import graph
from governance.identity import Identity
from governance.policies.authentication.hints import call_of
from tests.governance.bindings.sample_apis import APIS, Shelves, ShelvesV1

READER = Principal(subject="reader", client_id="c-1", accounts=Accounts(ids=("A",)))
LIMITS = WireLimits(body_timeout_s=0.2, max_body_bytes=2_000)
SHELVES = "/system/shelves/v1"


class Introduced(Policy):
    """Every caller is the reader, for the API that a bearer token names; a key is taken as it comes."""

    name = "introduced"
    stage = Stage.IDENTIFY

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def enforce(self, operation: Operation, binding: str) -> Wrap | None:
        if binding != "served":
            return None

        def wrap(inner: Handler) -> Handler:
            def identify(exchange: Exchange) -> Awaitable[Any]:
                headers = exchange.served.headers
                acting = headers.get(b"authorization", b"").decode("latin-1").removeprefix("Bearer ") or None
                exchange.principal = Principal(
                    subject=READER.subject, client_id=READER.client_id, accounts=READER.accounts, acting_api=acting
                )
                identity = Identity(principal=exchange.principal, on_behalf_of=READER)
                exchange.call = call_of(exchange, identity, self._clock, most_wait_s=10)
                exchange.call.idempotency_key = (
                    headers.get(b"idempotency-key", b"").decode("latin-1").strip('"') or None
                )
                return inner(exchange)

            return identify

        return wrap


class HopForms:
    """Credentials of a gateway whose hops are not checked."""

    def token_for(self, user: Principal, acting_api: str, operation: Operation) -> str:
        return acting_api


FORMS = HopForms()


def assemble(
    *,
    mode: Mode = "direct",
    tiers: frozenset[Any] = frozenset({"system", "process", "experience"}),
    placement: Mapping[Any, str] | None = None,
    client: HopClient | None = None,
    grants: Mapping[str, tuple[str, ...]] | None = None,
    limits: WireLimits = LIMITS,
    clock: Clock | None = None,
    policies: Sequence[Policy] = (),
    credentials: HopForms | None = FORMS,
    apis: Sequence[Any] = APIS,
) -> Assembly:
    clock = clock or ManualClock()
    wiring = Wiring(
        tiers=tiers,
        placement=placement or {},
        policies=(Introduced(clock), *policies),
        clock=clock,
        limits=limits,
        mode=mode,
        client=client or HopClient(),
        credentials=credentials,
    )
    return Assembly(graph(apis, grants), wiring, {CursorCodec: CursorCodec(b"k" * 32)})


def shelves_of(assembly: Assembly) -> Shelves:
    return cast("Shelves", assembly.services["shelves.v1"])


def edge_of(assembly: Assembly, limits: WireLimits = LIMITS, preflight: Preflight | None = None) -> Edge:
    return Edge(assembly.routes, limits, preflight)


class Reply:
    """What came back."""

    def __init__(self, status: int, raw_headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        self.headers = {name.decode(): value.decode("latin-1") for name, value in raw_headers}
        assert len(self.headers) == len(raw_headers), f"a header came twice: {raw_headers}"
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def problem(self, status: int, problem_type: str) -> dict[str, Any]:
        """The problem of the reply, held to RFC 9457 and to our own members."""
        assert (self.status, self.headers["content-type"]) == (status, "application/problem+json"), self.body
        document: dict[str, Any] = self.json
        assert document["type"] == f"/problems/{problem_type}"
        assert document["status"] == status
        assert document["title"]
        assert document["instance"].startswith("/")
        assert document["instance"].isascii()
        assert isinstance(document["retryable"], bool)
        assert document["request_id"] == self.headers["request-id"]
        assert self.headers["x-content-type-options"] == "nosniff"
        return document

    def violations(self, status: int, problem_type: str) -> dict[str, str]:
        """Each violation of the problem: where, to what."""
        errors = self.problem(status, problem_type)["errors"]
        return {error.get("pointer", error.get("parameter", error.get("header"))): error["detail"] for error in errors}


async def ask(
    edge: Callable[..., Awaitable[None]],
    method: str,
    target: str | bytes,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    raw_headers: list[tuple[bytes, bytes]] | None = None,
    receive: Callable[[], Awaitable[Any]] | None = None,
) -> Reply:
    """One request over ASGI."""
    raw_path, _, query = (target.encode() if isinstance(target, str) else target).partition(b"?")
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    sent = [(b"host", b"t"), *((name.lower().encode(), value.encode()) for name, value in pairs)]
    if body is not None:
        if not any(name == b"content-type" for name, _ in sent):
            sent.append((b"content-type", b"application/json"))
        sent.append((b"content-length", str(len(body)).encode()))
    got: list[Any] = []

    unread = [{"type": "http.request", "body": body or b"", "more_body": False}]

    async def whole() -> Any:
        if not unread:
            await asyncio.Event().wait()  # the client waits for its answer
        return unread.pop()

    async def send(message: Any) -> None:
        got.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": unquote_to_bytes(raw_path).decode(errors="replace"),
        "raw_path": raw_path,
        "query_string": query,
        "headers": raw_headers if raw_headers is not None else sent,
        "client": ("127.0.0.1", 1),
    }
    await edge(scope, receive or whole, send)
    return Reply(got[0]["status"], got[0]["headers"], b"".join(message.get("body", b"") for message in got[1:]))


class InProcessClient(HopClient):
    """The hop client without a network: it speaks ASGI to an edge."""

    def __init__(self, edge: Edge) -> None:
        super().__init__()
        self._edge = edge

    async def send(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, timeout_s: float
    ) -> Answer:
        reply = await ask(
            self._edge, method, url.removeprefix("http://in-process"), body=body, headers=_once(headers, body)
        )
        return Answer(reply.status, tuple((n.encode(), v.encode()) for n, v in reply.headers.items()), reply.body)


def _once(headers: dict[str, str], body: bytes | None) -> dict[str, str]:
    return {name: value for name, value in headers.items() if body is None or name != "Content-Length"}


@contextmanager
def calling(key: str | None = "parent-key", deadline: float | None = None) -> Iterator[Call]:
    """Code inside runs as the implementation of some operation would."""
    call = Call(
        principal=READER, operation_id="test.v1.outer", idempotency_key=key, request_id="r-1", deadline=deadline
    )
    token = enter(call)
    try:
        yield call
    finally:
        leave(token)


def shelves_stub(assembly: Assembly) -> Any:
    """All of the shelves, as the loans would hold them."""
    return assembly.stub("loans.v1", ShelvesV1, api_of(ShelvesV1).operations)


def apart(client: HopClient, base_url: str, clock: Clock | None = None) -> Assembly:
    """The upper tiers, with the system tier in another process."""
    return assemble(
        tiers=frozenset({"process", "experience"}),
        placement={"system": base_url},
        client=client,
        clock=clock or SystemClock(),
    )
