"""Pages beside the operations: the methods, the refusals and the bounds that operations have, too."""

from __future__ import annotations

from typing import Any

import pytest
from litestar import Request, get, post
from litestar.datastructures import State

from gateway.composition.application import MOST_BODY_BYTES, Tiergate
from governance.bindings.edge import Edge
from governance.bindings.routes import Routes
from governance.bindings.served import WireLimits
from governance.wire.peer import TrustedProxies
from tests.governance.bindings.sample_gateway import ask

pytestmark = pytest.mark.anyio


@get("/page", include_in_schema=False)
async def page() -> dict[str, str]:
    return {"status": "alive"}


@post("/form", status_code=200, include_in_schema=False)
async def form(request: Request[Any, Any, State]) -> dict[str, int]:
    return {"bytes": len(await request.body())}


@get("/peer", include_in_schema=False)
async def peer(request: Request[Any, Any, State]) -> str:
    return request.client.host if request.client else ""


def gateway(proxies: TrustedProxies | None = None) -> Tiergate:
    routes = Routes()
    routes.seal()
    return Tiergate(Edge(routes, WireLimits()), [page, form, peer], proxies)


@pytest.fixture
def pages() -> Tiergate:
    return gateway()


async def test_head_has_the_headers_of_get_and_no_body(pages: Tiergate) -> None:
    whole, head = await ask(pages, "GET", "/page"), await ask(pages, "HEAD", "/page")
    assert (head.status, head.headers, head.body) == (200, whole.headers, b"")
    assert (await ask(pages, "HEAD", "/nowhere")).status == 404


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/page", "GET, HEAD, OPTIONS"),
        ("GET", "/form", "OPTIONS, POST"),
        ("HEAD", "/form", "OPTIONS, POST"),
    ],
)
async def test_a_wrong_method_hears_what_is_allowed(pages: Tiergate, method: str, path: str, allow: str) -> None:
    refused = await ask(pages, method, path)
    assert (refused.status, refused.headers["allow"]) == (405, allow)


async def test_a_body_beyond_the_bound_hears_the_bound(pages: Tiergate) -> None:
    assert (await ask(pages, "POST", "/form", body=b"x" * MOST_BODY_BYTES)).json == {"bytes": MOST_BODY_BYTES}
    refused = (await ask(pages, "POST", "/form", body=b"x" * (MOST_BODY_BYTES + 1))).problem(413, "body-too-large")
    assert refused["limit_bytes"] == MOST_BODY_BYTES


@pytest.mark.parametrize(
    ("networks", "seen"), [(None, "127.0.0.1"), (["10.0.0.0/8"], "127.0.0.1"), (["127.0.0.0/8"], "203.0.113.9")]
)
async def test_pages_see_the_peer_behind_trusted_proxies_only(networks: list[str] | None, seen: str) -> None:
    proxies = TrustedProxies(networks) if networks else None
    reply = await ask(gateway(proxies), "GET", "/peer", headers={"X-Forwarded-For": "1.1.1.1, 203.0.113.9"})
    assert reply.body.decode() == seen
