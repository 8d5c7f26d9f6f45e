"""The strict wire of the served binding: every kind of bad request and its stated problem."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from governance.bindings.edge import Edge
from governance.bindings.served import WireLimits
from tests.governance.bindings.sample_gateway import SHELVES, Reply, ask, assemble, edge_of, shelves_of

pytestmark = pytest.mark.anyio
BOOKS = f"{SHELVES}/books"
BOOK = f"{BOOKS}/b1"
GOOD = json.dumps({"title": "t", "copies": 1, "account_id": "A"}).encode()
KEY = {"Idempotency-Key": '"k"'}


@pytest.fixture(scope="module")
def edge() -> Edge:
    return edge_of(assemble())


async def post(edge: Edge, body: bytes = GOOD, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await ask(edge, "POST", BOOKS, body=body, headers=KEY | named)


async def test_a_good_request_passes(edge: Edge) -> None:
    assert (await post(edge)).status == 201


@pytest.mark.parametrize(
    "media", ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"]
)
async def test_a_body_of_another_type_is_unsupported(edge: Edge, media: str) -> None:
    (await post(edge, content_type=media)).problem(415, "unsupported-media-type")


async def test_a_body_without_a_type_is_unsupported(edge: Edge) -> None:
    reply = await ask(edge, "POST", BOOKS, raw_headers=[(b"host", b"t"), (b"content-length", b"2")])
    reply.problem(415, "unsupported-media-type")


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "gzip, identity", "x"])
async def test_a_coded_body_is_unsupported(edge: Edge, coding: str) -> None:
    (await post(edge, content_encoding=coding)).problem(415, "unsupported-media-type")


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "*/*;q=0", "application/problem+json"])
async def test_an_answer_that_nobody_wants_is_not_made(edge: Edge, accept: str) -> None:
    (await ask(edge, "GET", BOOK, headers={"Accept": accept})).problem(406, "not-acceptable")


@pytest.mark.parametrize("accept", ["*/*", "application/*;q=0.1", "text/html, application/json", ""])
async def test_an_answer_that_is_wanted_is(edge: Edge, accept: str) -> None:
    assert (await ask(edge, "GET", BOOK, headers={"Accept": accept})).status == 200


async def test_repeated_accept_headers_are_one_list(edge: Edge) -> None:
    assert (
        await ask(edge, "GET", BOOK, headers=[("Accept", "application/json"), ("Accept", "text/html")])
    ).status == 200
    assert (await ask(edge, "GET", BOOK, headers=[("Accept", "text/html"), ("Accept", "text/csv")])).status == 406


@pytest.mark.parametrize(
    "name", ["Authorization", "Content-Type", "Content-Length", "Content-Encoding", "Idempotency-Key", "If-Match"]
)
async def test_a_header_that_decides_comes_once(edge: Edge, name: str) -> None:
    same = [(name, "application/json"), (name, "application/json")]
    detail = (await ask(edge, "POST", BOOKS, headers=same)).problem(400, "malformed-request")["detail"]
    assert name.lower() in detail


@pytest.mark.parametrize(
    "header", [(b"content-length", b"2"), (b"transfer-encoding", b"chunked"), (b"content-length", b"x")]
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", BOOK), ("HEAD", BOOK), ("DELETE", BOOK), ("POST", f"{BOOK}/bind")]
)
async def test_a_body_where_none_belongs_is_malformed(
    edge: Edge, method: str, path: str, header: tuple[bytes, bytes]
) -> None:
    reply = await ask(edge, method, path, raw_headers=[(b"host", b"t"), header])
    assert reply.status == 400
    if method != "HEAD":
        assert "no body" in reply.problem(400, "malformed-request")["detail"]


async def test_no_body_may_be_stated(edge: Edge) -> None:
    assert (await ask(edge, "GET", BOOK, headers={"Content-Length": "0"})).status == 200
    assert (await ask(edge, "POST", f"{BOOK}/bind", headers=KEY | {"Content-Length": "0"})).status == 202


def arriving(*messages: dict[str, Any]) -> Callable[[], Awaitable[Any]]:
    """The body in pieces; nothing more comes after the last."""
    waiting = iter(messages)

    async def receive() -> Any:
        for message in waiting:
            return message
        return await asyncio.get_running_loop().create_future()

    return receive


def piece(body: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


CHUNKED = [(b"host", b"t"), (b"content-type", b"application/json"), (b"idempotency-key", b"k")]


async def test_a_body_in_pieces_is_one(edge: Edge) -> None:
    receive = arriving(piece(GOOD[:5]), piece(b""), piece(GOOD[5:]), {"type": "http.request"})
    assert (await ask(edge, "POST", BOOKS, raw_headers=CHUNKED, receive=receive)).status == 201


@pytest.mark.parametrize("length", [b"2001", b"9" * 18, b"9" * 5_000])
async def test_a_stated_length_above_the_limit_is_refused_unread(edge: Edge, length: bytes) -> None:
    headers = [*CHUNKED, (b"content-length", length)]
    reply = await ask(edge, "POST", BOOKS, raw_headers=headers, receive=arriving())
    assert reply.problem(413, "body-too-large")["limit_bytes"] == 2_000


@pytest.mark.parametrize("length", [b"x", b"-1", b"1, 1", b"", b"\xb2"])
async def test_a_length_that_is_no_number_is_malformed(edge: Edge, length: bytes) -> None:
    reply = await ask(edge, "POST", BOOKS, raw_headers=[*CHUNKED, (b"content-length", length)])
    reply.problem(400, "malformed-request")


async def test_a_body_that_grows_above_the_limit_is_refused_when_it_does(edge: Edge) -> None:
    receive = arriving(piece(b" " * 1_999), piece(b"  "))
    (await ask(edge, "POST", BOOKS, raw_headers=CHUNKED, receive=receive)).problem(413, "body-too-large")


async def test_a_body_of_the_limit_is_read(edge: Edge) -> None:
    assert (await post(edge, GOOD.ljust(2_000))).status == 201


async def test_a_body_that_does_not_arrive_is_given_up(edge: Edge) -> None:
    reply = await ask(edge, "POST", BOOKS, raw_headers=CHUNKED, receive=arriving(piece(GOOD)))
    assert reply.problem(408, "request-timeout")["retryable"]


async def test_a_body_that_breaks_off_does_nothing() -> None:
    assembly = assemble()
    receive = arriving(piece(GOOD), {"type": "http.disconnect"})
    reply = await ask(edge_of(assembly), "POST", BOOKS, raw_headers=CHUNKED, receive=receive)
    reply.problem(400, "malformed-request")
    assert shelves_of(assembly).keys == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b"[" * 1_000, b'{"title": "a", "title": "b"}', b'{"title": "\\ud800"}'],
)
async def test_a_body_that_can_not_be_read_is_malformed(edge: Edge, body: bytes) -> None:
    (await post(edge, body)).problem(400, "malformed-request")


@pytest.mark.parametrize("depth", [300, 600, 900])
async def test_depth_is_refused_wherever_it_is_met(edge: Edge, depth: int) -> None:
    for body in (b"[" * depth + b"]" * depth, b'{"a":' * (depth // 3) + b"1" + b"}" * (depth // 3)):
        assert (await post(edge, body)).status in (400, 422)


async def test_a_body_of_great_depth_is_malformed() -> None:
    wide = WireLimits(max_body_bytes=1_000_000)
    edge = edge_of(assemble(limits=wide), wide)
    (await post(edge, b"[" * 100_000 + b"]" * 100_000)).problem(400, "malformed-request")


@pytest.mark.rule("RFC 9457 §3.2", "Every violation is one entry of errors, by JSON Pointer")
async def test_every_violation_of_a_body_is_reported(edge: Edge) -> None:
    body = json.dumps({"title": "", "copies": "1", "colour": 1, "tags": [1]}).encode()
    assert (await post(edge, body)).violations(422, "invalid-body") == {
        "/title": "expected str of length >= 1",
        "/copies": "expected int, got str",
        "/account_id": "is required",
        "/tags/0": "expected str, got int",
        "/colour": "is not a member of this request",
    }


async def test_every_violation_of_the_parameters_is_reported(edge: Edge) -> None:
    reply = await ask(edge, "GET", f"{BOOKS}?limit=0&cursor=%2F&mystery=1&cover=hard&cover=soft&bound_after=%zz")
    assert reply.violations(400, "invalid-parameters") == {
        "limit": "expected int >= 1",
        "cursor": "expected str matching regex '^[A-Za-z0-9_-]+$'",
        "mystery": "is not a parameter of this operation",
        "cover": "came more than once",
        "bound_after": "has a broken percent escape",
        "account_id": "is required",
    }


@pytest.mark.parametrize("query", ["loud=1", "loud=true&loud=true", "x", "=", "lou%64=maybe"])
async def test_a_wrong_query_is_refused(edge: Edge, query: str) -> None:
    (await ask(edge, "GET", f"{BOOK}?{query}")).problem(400, "invalid-parameters")


async def test_a_wrong_path_parameter_is_named(edge: Edge) -> None:
    found = (await ask(edge, "GET", f"{BOOKS}/UPPER")).violations(400, "invalid-parameters")
    assert list(found) == ["book_id"]


async def test_a_tampered_cursor_is_named(edge: Edge) -> None:
    first = await ask(edge, "GET", f"{BOOKS}?account_id=A&limit=2")
    cursor = first.json["next_cursor"]
    second = await ask(edge, "GET", f"{BOOKS}?account_id=A&limit=2&cursor={cursor}")
    assert [book["book_id"] for book in second.json["items"]] == ["2", "3"]
    for query in (f"account_id=B&cursor={cursor}", f"account_id=A&cursor={cursor[:-1]}", "account_id=A&cursor=AAAA"):
        assert list((await ask(edge, "GET", f"{BOOKS}?{query}")).violations(400, "invalid-parameters")) == ["cursor"]
