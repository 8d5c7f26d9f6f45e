"""The edge: what a router owns, answered by problems."""

from __future__ import annotations

import json
from typing import Any

import pytest

from governance.bindings.edge import Edge
from governance.bindings.routes import Routes
from governance.bindings.served import WireLimits
from governance.call import Exchange, Handler
from governance.contract import operation_of
from tests.governance.bindings.sample_apis import ShelvesV1
from tests.governance.bindings.sample_gateway import SHELVES, Reply, ask, assemble, edge_of

pytestmark = pytest.mark.anyio
BOOK = f"{SHELVES}/books/b1"


@pytest.fixture(scope="module")
def edge() -> Edge:
    return edge_of(assemble())


@pytest.mark.parametrize(
    "path",
    [
        "/system",
        "/system/",
        "/system/shelves/v1",
        "/system/shelves/v2/books",
        f"{SHELVES}/books/",
        f"{SHELVES}/books//",
        f"{SHELVES}//books",
        f"{SHELVES}/books/b1/",
        f"{SHELVES}/books/b1/pages",
        f"{SHELVES}/Books",
        "/system/shelves/v1%2Fbooks",
        "/system/%73helves/v1/books",
        "/system/shelves/v1/../v1/books",
        "/system/./shelves/v1/books",
        "/process/../system/shelves/v1/books",
        "/system/shelves\\v1\\books",
        "/system/shelves/v1/books;x=1",
        "/system/%",
        "/system/%ff%fe",
        "/system/\x7f\x01",
    ],
)
async def test_what_is_no_path_of_an_operation_is_unknown(edge: Edge, path: str) -> None:
    assert edge.owns(path.encode())
    (await ask(edge, "GET", path)).problem(404, "unknown-path")
    (await ask(edge, "OPTIONS", path)).problem(404, "unknown-path")


@pytest.mark.parametrize(
    "path", ["/", "/docs", "//system/shelves/v1/books", "/systems", "/%73ystem/shelves/v1", "/SYSTEM/x"]
)
async def test_other_paths_are_not_the_edges(edge: Edge, path: str) -> None:
    assert not edge.owns(path.encode())


@pytest.mark.rule("RFC 9110 §15.5.6", "405 lists the methods in Allow")
@pytest.mark.parametrize(
    ("path", "method", "allow"),
    [
        (BOOK, "POST", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        (f"{BOOK}/bind", "GET", "OPTIONS, POST"),
        (f"{BOOK}/bind", "HEAD", "OPTIONS, POST"),
        (f"{SHELVES}/books", "DELETE", "GET, HEAD, OPTIONS, POST"),
        (BOOK, "TRACE", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        (BOOK, "get", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        (BOOK, "PROPFIND", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
    ],
)
async def test_another_method_is_told_which_there_are(edge: Edge, path: str, method: str, allow: str) -> None:
    reply = await ask(edge, method, path)
    if method != "HEAD":
        reply.problem(405, "method-not-allowed")
    assert (reply.status, reply.headers["allow"]) == (405, allow)


async def test_options_say_what_there_is(edge: Edge) -> None:
    reply = await ask(edge, "OPTIONS", BOOK)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"
    assert reply.headers["request-id"]
    assert "content-length" not in reply.headers


@pytest.mark.rule("RFC 9110 §9.3.2", "HEAD has the headers of GET and no body")
@pytest.mark.parametrize("path", [BOOK, f"{SHELVES}/books/missing", f"{SHELVES}/nothing", f"{BOOK}?x=1"])
async def test_head_is_get_without_its_body(edge: Edge, path: str) -> None:
    of_get, of_head = await ask(edge, "GET", path), await ask(edge, "HEAD", path)
    own = {"request-id": ""}
    assert (of_head.status, of_head.body) == (of_get.status, b"")
    assert of_head.headers | own == of_get.headers | own
    assert of_head.headers["content-length"] == str(len(of_get.body))


@pytest.mark.rule("RFC 9110 §7.2", "A request without exactly one Host is refused")
@pytest.mark.parametrize(
    "hosts", [[], [b"a", b"b"], [b"a", b"a"], [b""], [b"  "]], ids=["none", "two", "twice the same", "empty", "blank"]
)
async def test_a_request_has_one_host(edge: Edge, hosts: list[bytes]) -> None:
    reply = await ask(edge, "GET", BOOK, raw_headers=[(b"host", host) for host in hosts])
    assert "Host" in reply.problem(400, "malformed-request")["detail"]


async def test_a_long_target_is_refused_before_anything_is_looked_up() -> None:
    edge = edge_of(assemble(), WireLimits(max_uri_bytes=100))
    assert (await ask(edge, "GET", BOOK + "?loud=true")).status == 200
    (await ask(edge, "GET", BOOK + "?" + "&" * 100)).problem(414, "uri-too-long")
    (await ask(edge, "GET", BOOK + "x" * 100)).problem(414, "uri-too-long")


async def test_request_ids_differ_and_are_the_gateways_own(edge: Edge) -> None:
    replies = [await ask(edge, "GET", BOOK, headers={"Request-Id": "mine"}) for _ in range(3)]
    ids = {reply.headers["request-id"] for reply in replies}
    assert len(ids) == 3
    assert "mine" not in ids


@pytest.mark.rule("RFC 9457 §3.1.5", "The instance is a URI reference")
async def test_the_instance_is_the_path_as_it_came(edge: Edge) -> None:
    for path in ("/system/a%2Fb", "/system/%E4%F6", "/system/a%20b;c=d,e"):
        assert (await ask(edge, "GET", path)).problem(404, "unknown-path")["instance"] == path
    for path in (b"/system/\xc3\xbc", b'/system/<"\r\n>'):
        (await ask(edge, "GET", path)).problem(404, "unknown-path")


@pytest.mark.expects_unexpected
async def test_what_fails_outside_every_chain_is_internal_error(unexpected: list[Any]) -> None:
    async def broken(_: Exchange) -> Any:
        raise ZeroDivisionError("secret-detail")

    handler: Handler = broken
    routes = Routes()
    routes.add(operation_of(ShelvesV1.get_book), handler)
    routes.seal()
    reply = await ask(Edge(routes, WireLimits()), "GET", BOOK)
    reply.problem(500, "internal-error")
    assert b"secret" not in reply.body
    assert [record.exc_info[0] for record in unexpected] == [ZeroDivisionError]


def allow_one(origin: bytes) -> tuple[tuple[bytes, bytes], ...]:
    if origin != b"https://good":
        return ()
    return ((b"access-control-allow-origin", origin), (b"access-control-max-age", b"5"), (b"vary", b"origin"))


def cors_of(reply: Reply) -> dict[str, str]:
    return {name: value for name, value in reply.headers.items() if name.startswith("access-control") or name == "vary"}


async def test_a_preflight_is_answered_for_an_origin_of_some_consumer() -> None:
    edge = edge_of(assemble(), preflight=allow_one)
    asked = {"Origin": "https://good", "Access-Control-Request-Method": "PATCH"}
    reply = await ask(edge, "OPTIONS", BOOK, headers=asked)
    assert reply.status == 204
    assert cors_of(reply) == {
        "access-control-allow-origin": "https://good",
        "access-control-allow-methods": "DELETE, GET, HEAD, OPTIONS, PATCH, PUT",
        "access-control-max-age": "5",
        "vary": "origin",
    }
    assert cors_of(await ask(edge, "OPTIONS", BOOK, headers=asked | {"Origin": "https://bad"})) == {}
    assert cors_of(await ask(edge, "OPTIONS", BOOK, headers={"Origin": "https://good"})) == {}


async def test_refusals_of_the_edge_are_readable_for_an_origin_of_some_consumer() -> None:
    edge = edge_of(assemble(), preflight=allow_one)
    readable = {"access-control-allow-origin": "https://good", "vary": "origin"}
    for method, path in (("GET", "/system/x"), ("POST", BOOK), ("GET", f"{SHELVES}/books/%zz")):
        assert cors_of(await ask(edge, method, path, headers={"Origin": "https://good"})) == readable
        assert cors_of(await ask(edge, method, path, headers={"Origin": "https://bad"})) == {}


WORDS = f"{SHELVES}/words"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a%2Fb", "a/b"),
        ("a%2fb%2F..", "a/b/.."),
        ("%C3%BC", "ü"),
        ("a%20b+c", "a b+c"),
        ("%25zz", "%zz"),
        ("...", "..."),
        ("%0D%0AX-Evil:%201", "\r\nX-Evil: 1"),
        ("%22%3Cscript%3E", '"<script>'),
    ],
)
async def test_path_parameters_are_decoded_once_within_their_segment(edge: Edge, raw: str, text: str) -> None:
    reply = await ask(edge, "GET", f"{WORDS}/{raw}")
    assert (reply.status, reply.json) == (200, {"word": text})


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        ("%", "has a broken percent escape"),
        ("%zz", "has a broken percent escape"),
        ("%2", "has a broken percent escape"),
        ("%ff", "is not UTF-8"),
        ("%c0%af", "is not UTF-8"),
        ("a%00b", "holds a NUL character"),
        ("..", "is a dot segment"),
        (".", "is a dot segment"),
        ("%2e%2E", "is a dot segment"),
    ],
)
async def test_ill_encoded_paths_are_named(edge: Edge, raw: str, detail: str) -> None:
    assert (await ask(edge, "GET", f"{WORDS}/{raw}")).violations(400, "invalid-parameters") == {"path": detail}


async def test_nothing_of_a_request_becomes_a_header(edge: Edge) -> None:
    evil = "a\r\nSet-Cookie: x=1/ü?"
    body = json.dumps({"word": evil}).encode()
    reply = await ask(edge, "POST", WORDS, body=body)
    assert reply.status == 201
    assert reply.headers["location"] == f"{WORDS}/a%0D%0ASet-Cookie%3A%20x%3D1%2F%C3%BC%3F"
    assert (await ask(edge, "GET", reply.headers["location"])).json == {"word": evil}
    for value in reply.headers.values():
        assert "\r" not in value
        assert "\n" not in value
