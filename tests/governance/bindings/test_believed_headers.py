"""Who calls is said by the token alone: no header that a client adds changes it, and none travels inward."""

from __future__ import annotations

import pytest

from governance.bindings.edge import Edge
from governance.bindings.remote import HopClient
from governance.call import Answer
from tests.governance.bindings.sample_gateway import (
    LIMITS,
    SHELVES,
    InProcessClient,
    apart,
    ask,
    assemble,
    edge_of,
    shelves_of,
)

pytestmark = pytest.mark.anyio
CLAIMED = {
    "X-Forwarded-User": "admin",
    "X-Forwarded-Email": "admin@example.com",
    "X-Remote-User": "admin",
    "X-User-Id": "admin",
    "X-Authenticated-Scope": "shelves.books:read",
    "X-Account-Id": "B",
    "X-Consumer-Id": "admin",
    "X-Client-Cert": "admin",
    "X-Forwarded-For": "127.0.0.1",
    "Forwarded": "for=127.0.0.1",
    "X-HTTP-Method-Override": "DELETE",
    "X-Original-URL": f"{SHELVES}/books/missing",
    "X-Rewrite-URL": f"{SHELVES}/books/missing",
    "Request-Id": "forged-request-id",
    "Tiergate-Deadline-Ms": "0",
    "Tiergate-Principal": "admin",
}
OUTWARD = {
    "authorization",
    "accept",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "if-match",
    "prefer",
    "request-id",
    "tiergate-deadline-ms",
    "traceparent",
}
"""What a hop between tiers may carry; everything in it is made here."""


async def test_no_header_but_the_token_says_who_calls() -> None:
    assembly = assemble()
    plain = await ask(edge_of(assembly), "GET", f"{SHELVES}/books/b1")
    claimed = await ask(edge_of(assembly), "GET", f"{SHELVES}/books/b1", headers=CLAIMED)
    assert shelves_of(assembly).seen_accounts == ["A", "A"]
    assert (claimed.status, claimed.body) == (plain.status, plain.body)
    assert claimed.headers["request-id"] != "forged-request-id"


class Listening(InProcessClient):
    """Notes the names of the headers that it sends."""

    def __init__(self, edge: Edge) -> None:
        super().__init__(edge)
        self.names: set[str] = set()

    async def send(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, timeout_s: float
    ) -> Answer:
        self.names |= {name.lower() for name in headers}
        assert not set(headers.values()) & set(CLAIMED.values())
        return await super().send(method, url, headers, body, timeout_s)


async def test_a_hop_carries_only_what_the_gateway_made() -> None:
    client: HopClient = Listening(edge_of(assemble()))
    outer = Edge(apart(client, "http://in-process").routes, LIMITS)
    found = await ask(outer, "GET", "/process/loans/v1/books/b1", headers=CLAIMED)
    assert found.status == 200, found.body
    lent = await ask(outer, "POST", "/process/loans/v1/books/b1/lend", headers={**CLAIMED, "Idempotency-Key": "k"})
    assert lent.status == 200, lent.body
    assert isinstance(client, Listening)
    assert client.names
    assert client.names <= OUTWARD


@pytest.mark.parametrize("end", ["%0d%0aSet-Cookie:%20a=b", "%0aX:%20y", "%e5%98%8a%e5%98%8dX:y"])
async def test_no_argument_becomes_a_header(end: str) -> None:
    said = await ask(edge_of(assemble()), "POST", f"{SHELVES}/words", body=b'{"word": "a\\r\\nSet-Cookie: a=b\\u560a"}')
    assert said.status == 201
    found = await ask(edge_of(assemble()), "GET", f"{SHELVES}/words/a{end}")
    for reply in (said, found):
        assert not {"set-cookie", "x"} & set(reply.headers)
        assert all("\r" not in value and "\n" not in value for value in reply.headers.values())
        assert all(value.isascii() for value in reply.headers.values())
