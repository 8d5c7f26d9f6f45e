"""The remote binding: what another process may answer, and what becomes of it when it does not."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from governance.bindings.remote import DEADLINE_HEADER, HopClient
from governance.call import Answer, SystemClock
from governance.contract import NotFound
from governance.contract.refusals import (
    DeadlineExceeded,
    InternalError,
    InvalidBody,
    RateLimited,
    SystemUnavailable,
    Unauthenticated,
)
from tests.governance.bindings.real_server import RealServer
from tests.governance.bindings.sample_apis import Book, BookLent, NewBook
from tests.governance.bindings.sample_gateway import apart, calling, shelves_stub

pytestmark = pytest.mark.anyio
BOOK = {"book_id": "b", "title": "t", "copies": 1, "account_id": "A", "revision": 1}


class Scripted(HopClient):
    """Another process that answers what the test says, and remembers what it was sent."""

    def __init__(self, status: int = 200, document: Any = BOOK, body: bytes | None = None) -> None:
        super().__init__()
        self.answer = Answer(status, (), json.dumps(document).encode() if body is None else body)
        self.sent: list[tuple[str, str, dict[str, str], bytes | None, float]] = []

    async def send(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, timeout_s: float
    ) -> Answer:
        self.sent.append((method, url, headers, body, timeout_s))
        return self.answer


def stub_over(client: HopClient, url: str = "http://below/") -> Any:
    return shelves_stub(apart(client, url))


def problem(problem_type: str, status: int, **members: Any) -> Scripted:
    return Scripted(status, {"type": f"/problems/{problem_type}", "status": status, **members})


async def test_unknown_members_of_results_are_ignored() -> None:
    with calling():
        assert await stub_over(Scripted(document={**BOOK, "new": {"in": "v1.7"}})).get_book("b") == Book(**BOOK)


async def test_unknown_members_of_problems_are_ignored() -> None:
    client = problem("book-lent", 409, detail="d", book_id="b", back_on="2026-05-01", shelf=7, title="Other words.")
    with calling(), pytest.raises(BookLent) as caught:
        await stub_over(client).add_book(NewBook(title="t", copies=1, account_id="A"))
    assert caught.value.detail == "d"


async def test_problem_types_may_be_absolute_no_more_than_relative() -> None:
    with calling(), pytest.raises(NotFound):
        await stub_over(problem("not-found", 404)).get_book("b")


async def test_errors_of_a_schema_come_back_whole() -> None:
    errors = [{"pointer": "/title", "detail": "is required"}]
    with calling(), pytest.raises(InvalidBody) as caught:
        await stub_over(problem("invalid-body", 422, errors=errors, detail="/title: is required")).get_book("b")
    assert [violation.pointer for violation in caught.value.violations] == ["/title"]


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (problem("rate-limited", 429, retryable=True), RateLimited),
        (problem("unauthenticated", 401), Unauthenticated),
        (problem("from-the-future", 503, retryable=True), SystemUnavailable),
        (problem("from-the-future", 409, retryable=True), SystemUnavailable),
        (Scripted(502, body=b"<html>Bad gateway</html>"), SystemUnavailable),
        (Scripted(503, body=b""), SystemUnavailable),
        (Scripted(500, body=b"\xff\xfe"), SystemUnavailable),
        (Scripted(500, body=b"[" * 100_000), SystemUnavailable),
    ],
)
async def test_what_may_pass_again_is_told_so(client: Scripted, expected: type[Exception]) -> None:
    with calling(), pytest.raises(expected):
        await stub_over(client).get_book("b")


@pytest.mark.expects_unexpected
@pytest.mark.parametrize(
    "client",
    [
        problem("from-the-future", 409),
        problem("book-lent", 409, back_on="no day"),
        problem("insufficient-scope", 403),
        Scripted(404, body=b"<html>Not found</html>"),
        Scripted(404, document={"type": 7}),
        Scripted(302, body=b""),
        Scripted(304, body=b""),
        Scripted(200, body=b""),
        Scripted(200, document={"book_id": "b"}),
        Scripted(200, document={**BOOK, "copies": 101}),
        Scripted(200, body=b'{"book_id": "\xff"}'),
    ],
)
async def test_what_can_not_be_understood_is_internal_and_logged(
    client: Scripted, unexpected: list[logging.LogRecord]
) -> None:
    with calling(), pytest.raises(InternalError) as caught:
        await stub_over(client).get_book("b")
    assert caught.value.detail == ""
    assert [record.getMessage().partition(" ")[0] for record in unexpected] == ["shelves.v1.get_book"]


@pytest.mark.expects_unexpected
async def test_a_redirect_is_no_success_of_a_write_without_result() -> None:
    with calling(), pytest.raises(InternalError):
        await stub_over(Scripted(302, body=b"")).remove_book("b")


async def test_what_a_hop_says_of_its_call() -> None:
    client = Scripted(201)
    with calling("parent", deadline=SystemClock().monotonic() + 5) as call:
        call.wait_s = 2.5
        call.if_match = "7"
        await stub_over(client).add_book(NewBook(title="t", copies=1, account_id="A"))
    ((method, url, headers, body, timeout_s),) = client.sent
    assert (method, url) == ("POST", "http://below/system/shelves/v1/books")
    assert body is not None
    assert json.loads(body)["title"] == "t"
    assert headers["Authorization"] == "Bearer loans.v1"
    assert headers["Request-Id"] == "r-1"
    assert headers["Content-Type"] == "application/json"
    assert headers["Prefer"] == "wait=2.5"
    assert len(headers["Idempotency-Key"]) == 28
    assert 4_000 < int(headers[DEADLINE_HEADER]) <= 5_000
    assert 6.5 < timeout_s <= 7.5


async def test_an_undecided_trace_travels_as_not_sampled() -> None:
    client = Scripted()
    traced = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    with calling() as call:
        await stub_over(client).get_book("b")
        call.traceparent = traced
        await stub_over(client).get_book("b")
    first, second = (sent[2]["traceparent"] for sent in client.sent)
    assert first.endswith("-00")
    assert second == traced


async def test_defaults_are_left_to_the_callee() -> None:
    client = Scripted(document={"items": []})
    with calling():
        await stub_over(client).list_books(account_id="A", limit=50, cursor=None)
        await stub_over(client).list_books(account_id="A", limit=51)
    assert [sent[1].partition("?")[2] for sent in client.sent] == ["account_id=A", "account_id=A&limit=51"]


@pytest.fixture
async def client(anyio_backend: str) -> AsyncIterator[HopClient]:
    opened = HopClient(timeout_s=0.2)
    await opened.start()
    yield opened
    await opened.stop()


async def test_a_process_that_is_away_is_unavailable(client: HopClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with calling(), pytest.raises(SystemUnavailable) as caught:
        await stub_over(client, f"http://127.0.0.1:{port}").get_book("b")
    assert str(port) not in caught.value.detail


async def test_a_process_that_hangs_up_is_unavailable(client: HopClient) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with calling(), pytest.raises(SystemUnavailable):
            await stub_over(client, f"http://127.0.0.1:{port}").get_book("b")


async def test_a_process_that_is_too_slow_is_beyond_the_deadline(client: HopClient, real_server: RealServer) -> None:
    with calling(), pytest.raises(DeadlineExceeded):
        await stub_over(client, real_server.url).get_book("slow")
    with calling(deadline=SystemClock().monotonic() + 0.05), pytest.raises(DeadlineExceeded):
        await stub_over(client, real_server.url).get_book("slow")


async def test_a_client_that_was_not_started_says_so() -> None:
    with calling(), pytest.raises(RuntimeError, match="not started"):
        await stub_over(HopClient()).get_book("b")
    await HopClient().stop()
