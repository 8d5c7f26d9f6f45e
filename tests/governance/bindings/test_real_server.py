"""Raw requests to the real server: what granian answers by itself, and that what it lets through is refused well.

By itself (2.8, hyper underneath) it answers 400 to broken header syntax and conflicting
Content-Length, 414 to a target above 64 KiB, 431 to more than 100 headers or large ones, all without
a body, and closes a connection whose header does not arrive in time. It lets through: two Host
headers, none (as an empty one), bare LF line ends (RFC 9112 §2.2 allows it), a body whose chunks are
broken (as a disconnect). Those are the edge's to refuse.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.governance.bindings.real_server import HEADER_TIMEOUT_S, RealServer
from tests.governance.bindings.sample_gateway import SHELVES

pytestmark = pytest.mark.anyio
BOOK = f"{SHELVES}/books/b1".encode()
BOUND_S = 20


@asynccontextmanager
async def connected(
    server: RealServer, request: bytes
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection over which raw bytes were sent."""
    async with asyncio.timeout(BOUND_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        try:
            writer.write(request)
            yield reader, writer
        finally:
            writer.close()
            with suppress(OSError):  # the server closed it first
                await writer.wait_closed()


async def exchange(server: RealServer, request: bytes, *, end: bool = False) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the first answer to raw bytes; status 0 for a closed connection."""
    async with connected(server, request) as (reader, writer):
        if end:
            writer.write_eof()
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0, {}, b""
        line, *lines = head.decode("latin-1").strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
        return int(line.split()[1]), headers, await reader.readexactly(int(headers.get("content-length", "0")))


async def refused(server: RealServer, request: bytes, *, end: bool = False) -> tuple[int, str]:
    """Status and problem type of the answer."""
    status, headers, body = await exchange(server, request, end=end)
    assert headers["content-type"] == "application/problem+json", body
    document = json.loads(body)
    assert document["request_id"] == headers["request-id"]
    return status, document["type"].removeprefix("/problems/")


def get(path: bytes = BOOK, headers: bytes = b"Host: t\r\n") -> bytes:
    return b"GET %b HTTP/1.1\r\n%b\r\n" % (path, headers)


def post(headers: bytes, body: bytes = b"") -> bytes:
    media = b"Host: t\r\nContent-Type: application/json\r\nIdempotency-Key: k\r\n"
    return b"POST %b/books HTTP/1.1\r\n%b%b\r\n%b" % (SHELVES.encode(), media, headers, body)


async def test_a_plain_request_is_answered(real_server: RealServer) -> None:
    status, headers, body = await exchange(real_server, get())
    assert (status, headers["etag"]) == (200, '"3"')
    assert json.loads(body)["book_id"] == "b1"


async def test_head_has_a_length_and_no_body(real_server: RealServer) -> None:
    request = get().replace(b"GET", b"HEAD") + get(SHELVES.encode() + b"/words/next")
    async with connected(real_server, request) as (reader, _):
        first = await reader.readuntil(b"\r\n\r\n")
        assert b"content-length: 73" in first
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")  # nothing stands between the two answers


@pytest.mark.parametrize("headers", [b"", b"Host:\r\n", b"Host: a\r\nHost: b\r\n", b"Host: a\r\nhost: a\r\n"])
async def test_one_host_header_and_no_more(real_server: RealServer, headers: bytes) -> None:
    assert await refused(real_server, get(headers=headers)) == (400, "malformed-request")


async def test_the_path_of_an_absolute_target_counts(real_server: RealServer) -> None:
    assert (await exchange(real_server, get(b"http://elsewhere" + BOOK)))[0] == 200
    assert await refused(real_server, get(b"http://elsewhere/system/x")) == (404, "unknown-path")


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (SHELVES.encode() + b"/words/%zz", (400, "invalid-parameters")),
        (SHELVES.encode() + b"/words/%ff", (400, "invalid-parameters")),
        (SHELVES.encode() + b"/words/..", (400, "invalid-parameters")),
        (SHELVES.encode() + b"/words/a?%zz", (400, "invalid-parameters")),
        (SHELVES.encode() + b"/../v1/books", (404, "unknown-path")),
        (b"/system/\xc3\xbc", (404, "unknown-path")),
        (b"/system/" + b"a" * 9_000, (414, "uri-too-long")),
    ],
)
async def test_targets_come_through_as_they_were_sent(
    real_server: RealServer, path: bytes, answer: tuple[int, str]
) -> None:
    assert await refused(real_server, get(path)) == answer


async def test_an_encoded_slash_stays_in_its_segment(real_server: RealServer) -> None:
    status, _, body = await exchange(real_server, get(SHELVES.encode() + b"/words/a%2Fb"))
    assert (status, json.loads(body)) == (200, {"word": "a/b"})


GOOD = b'{"title": "t", "copies": 1, "account_id": "A"}'


async def test_chunks_are_put_together(real_server: RealServer) -> None:
    chunks = b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (GOOD[:5], len(GOOD) - 5, GOOD[5:])
    assert (await exchange(real_server, post(b"Transfer-Encoding: chunked\r\n", chunks)))[0] == 201


@pytest.mark.rule("RFC 9112 §7.1", "Broken chunks end with 400")
@pytest.mark.parametrize(
    "chunks",
    [
        b"FFFFFFFFFFFFFFFFFF\r\nab",
        b"zz\r\nab",
        b"-1\r\nab",
        b"2\r\nabc\r\n",
        b"2;" + b"x" * 20_000 + b"\r\nab\r\n0\r\n\r\n",
    ],
    ids=["overflow", "no number", "negative", "longer than stated", "endless extension"],
)
async def test_broken_chunks_are_malformed(real_server: RealServer, chunks: bytes) -> None:
    answer = await refused(real_server, post(b"Transfer-Encoding: chunked\r\n", chunks))
    assert answer == (400, "malformed-request")


async def test_a_body_that_ends_early_is_malformed(real_server: RealServer) -> None:
    answer = await refused(real_server, post(b"Content-Length: 100\r\n", GOOD), end=True)
    assert answer == (400, "malformed-request")


async def test_a_body_that_stops_arriving_is_given_up(real_server: RealServer) -> None:
    assert await refused(real_server, post(b"Content-Length: 100\r\n", GOOD)) == (408, "request-timeout")


async def test_a_body_above_the_limit_is_refused_with_and_without_its_length(real_server: RealServer) -> None:
    assert await refused(real_server, post(b"Content-Length: 3000\r\n")) == (413, "body-too-large")
    chunk = b"BB8\r\n" + b" " * 3_000 + b"\r\n"
    assert await refused(real_server, post(b"Transfer-Encoding: chunked\r\n", chunk)) == (413, "body-too-large")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (post(b"Content-Length: 1\r\nContent-Length: 2\r\n", b"ab"), 400),
        (post(b"Content-Length: -1\r\n"), 400),
        (post(b"Content-Length: " + b"9" * 30 + b"\r\n"), 400),
        (get(headers=b"Host: t\r\nBad Name: 1\r\n"), 400),
        (get(headers=b"Host: t\r\nX: a\x00b\r\n"), 400),
        (get(headers=b"Host: t\r\nX: 1\r\n folded\r\n"), 400),
        (get(headers=b"Host: t\r\nX : 1\r\n"), 400),
        (b"G T / HTTP/1.1\r\n\r\n", 400),
        (get(headers=b"Host: t\r\n" + b"".join(b"X%d: 1\r\n" % n for n in range(150))), 431),
        (get(b"/" + b"a" * 70_000), 414),
    ],
)
async def test_what_the_server_refuses_by_itself(real_server: RealServer, request_: bytes, status: int) -> None:
    assert (await exchange(real_server, request_))[0] == status


async def test_large_headers_are_refused_by_the_server(real_server: RealServer) -> None:
    status, _, _ = await exchange(real_server, get(headers=b"Host: t\r\nX: " + b"a" * 2_000_000 + b"\r\n"))
    assert status in (0, 431)  # it may close before it has read everything


@pytest.mark.rule("RFC 9112 §6.3", "Where both lengths come, chunks count and the connection ends")
async def test_both_lengths_at_once_are_read_as_chunks_and_the_connection_is_closed(real_server: RealServer) -> None:
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD)
    request = post(b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", chunks)
    status, headers, _ = await exchange(real_server, request)
    assert (status, headers.get("connection")) == (201, "close")


async def test_bare_line_feeds_end_lines(real_server: RealServer) -> None:
    status, _, _ = await exchange(real_server, get().replace(b"\r\n", b"\n"))
    assert status == 200


async def test_slow_headers_are_not_waited_for(real_server: RealServer) -> None:
    began = time.monotonic()
    status, _, _ = await exchange(real_server, b"GET / HTTP/1.1\r\nHost: t\r\nX-Sl")
    assert status in (0, 408)
    assert HEADER_TIMEOUT_S - 0.1 < time.monotonic() - began < HEADER_TIMEOUT_S + 8


async def test_many_bad_requests_leave_the_server_answering(real_server: RealServer) -> None:
    bad = [get(headers=b""), post(b"Transfer-Encoding: chunked\r\n", b"zz\r\n"), post(b"Content-Length: 100\r\n", b"x")]
    await asyncio.gather(*(exchange(real_server, request, end=True) for request in bad * 10))
    assert (await exchange(real_server, get()))[0] == 200
