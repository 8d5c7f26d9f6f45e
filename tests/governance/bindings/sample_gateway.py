"""The sample APIs put together, with an HTTP client that speaks ASGI to them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tests.governance.bindings.sample_apis import APIS

from governance.bindings.assembly import Assembly, Wiring
from governance.bindings.edge import Edge
from governance.bindings.local import Mode
from governance.bindings.remote import HopClient
from governance.bindings.served import WireLimits
from governance.call import Accounts, Call, Exchange, Handler, ManualClock, Policy, Principal, Stage, Wrap
from governance.contract import CursorCodec, Operation
from governance.contract.graph import graph

READER = Principal(subject="reader", client_id="c-1", accounts=Accounts(ids=("A",)))


class Introduced(Policy):
    """Every caller is the reader; an Idempotency-Key is taken as it comes."""

    name = "introduced"
    stage = Stage.IDENTIFY

    def enforce(self, operation: Operation, binding: str) -> Wrap | None:
        if binding != "served":
            return None

        def wrap(inner: Handler) -> Handler:
            def identify(exchange: Exchange) -> Awaitable[Any]:
                headers = exchange.served.headers
                acting = headers.get(b"authorization", b"").decode().removeprefix("Bearer ") or None
                exchange.principal = READER
                exchange.call = Call(
                    principal=READER,
                    operation_id=operation.id,
                    idempotency_key=headers.get(b"idempotency-key", b"").decode().strip('"') or None,
                    request_id=headers.get(b"request-id", exchange.evidence["request_id"].encode()).decode(),
                )
                exchange.evidence["acting"] = acting
                return inner(exchange)

            return identify

        return wrap


class HopForms:
    """Credentials of a gateway whose hops are not checked."""

    def token_for(self, user: Principal, acting_api: str, operation: Operation) -> str:
        return acting_api


def assemble(
    *,
    mode: Mode = "direct",
    tiers: frozenset[Any] = frozenset({"system", "process", "experience"}),
    placement: Mapping[Any, str] | None = None,
    client: HopClient | None = None,
    grants: Mapping[str, tuple[str, ...]] | None = None,
    limits: WireLimits = WireLimits(body_timeout_s=0.2, max_body_bytes=2_000),
) -> Assembly:
    wiring = Wiring(
        tiers=tiers,
        placement=placement or {},
        policies=(Introduced(),),
        clock=ManualClock(),
        limits=limits,
        mode=mode,
        client=client or HopClient(),
        credentials=HopForms(),
    )
    return Assembly(graph(APIS, grants), wiring, {CursorCodec: CursorCodec(b"k" * 32)})


class Reply:
    """What came back."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        self.headers = {name.decode(): value.decode() for name, value in headers}
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def ask(
    edge: Callable[..., Awaitable[None]],
    method: str,
    target: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    raw_headers: list[tuple[bytes, bytes]] | None = None,
    chunks: list[dict[str, Any]] | None = None,
) -> Reply:
    """One request over ASGI."""
    path, _, query = target.partition("?")
    sent = [(b"host", b"t"), *((name.lower().encode(), value.encode()) for name, value in (headers or {}).items())]
    if body is not None and "content-type" not in {name.lower() for name in headers or {}}:
        sent.append((b"content-type", b"application/json"))
    if body is not None:
        sent.append((b"content-length", str(len(body)).encode()))
    messages = chunks if chunks is not None else [{"type": "http.request", "body": body or b"", "more_body": False}]
    waiting = iter(messages)
    got: list[Any] = []

    async def receive() -> Any:
        return next(waiting)

    async def send(message: Any) -> None:
        got.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": raw_headers if raw_headers is not None else sent,
        "client": ("127.0.0.1", 1),
    }
    await edge(scope, receive, send)
    return Reply(got[0]["status"], got[0]["headers"], b"".join(message.get("body", b"") for message in got[1:]))


def edge_of(assembly: Assembly, limits: WireLimits = WireLimits(body_timeout_s=0.2, max_body_bytes=2_000)) -> Edge:
    return Edge(assembly.routes, limits)
