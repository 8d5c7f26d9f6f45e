"""The hop client against processes that misbehave, and the one budget over two tiers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from governance.call import ManualClock
from governance.call.allowance import RETRIED_HEADER, RETRIES_HEADER
from governance.contract.refusals import DeadlineExceeded, SystemUnavailable
from governance.egress import hop
from governance.egress.budget import RetryBudget
from governance.egress.connection import Connection, Terms
from governance.egress.failures import Unreadable
from governance.egress.hop import HOP_BREAKER, HopClient
from tests.governance.egress.vendor import (
    BAD_CHUNKS,
    HALF_AN_ANSWER,
    Asked,
    Behaviour,
    Vendor,
    answering,
    hanging,
    hanging_up,
    in_turn,
    nobody_there,
    pouring,
    raw_answer,
    resetting,
    saying,
    trickling,
)

pytestmark = pytest.mark.anyio
PROBLEM = {"content-type": "application/problem+json"}
KEYED = {"Idempotency-Key": '"k"'}


@pytest.fixture
def budget() -> RetryBudget:
    return RetryBudget(percent=100)


@pytest.fixture
async def client(budget: RetryBudget, anyio_backend: str) -> AsyncIterator[HopClient]:
    opened = HopClient(timeout_s=0.3, budget=budget)
    await opened.start()
    yield opened
    await opened.stop()


async def ask(client: HopClient, url: str, method: str = "GET", headers: dict[str, str] | None = None) -> int:
    """The status of an answer."""
    return (await client.send(method, f"{url}/a?b=c", dict(headers or {}), None, 0.3)).status


async def test_an_exchange_is_whole_and_its_connection_is_used_again(client: HopClient) -> None:
    async with Vendor(answering(201, b"made", {"x-said": "y"})) as other:
        for _ in range(3):
            answer = await client.send("POST", f"{other.url}/books", {"X-Asked": "z"}, b"{}", 1.0)
            assert (answer.status, answer.body) == (201, b"made")
            assert (b"x-said", b"y") in answer.headers
        assert other.connections == 1
        asked = other.asked[0]
        assert (asked.method, asked.target, asked.body) == ("POST", "/books", b"{}")
        assert asked.headers["x-asked"] == "z"
        assert asked.headers["host"] == f"127.0.0.1:{other.port}"
        assert asked.headers["accept-encoding"] == "identity"


@pytest.mark.rule("RFC 9110 §15.2", "An informational answer is no final one")
async def test_what_is_only_informational_is_passed_over(client: HopClient) -> None:
    raw = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + raw_answer(200, b"final")
    async with Vendor(saying(raw)) as other:
        answer = await client.send("GET", f"{other.url}/", {}, None, 1.0)
    assert (answer.status, answer.body) == (200, b"final")
    assert b"link" not in dict(answer.headers)


async def test_a_redirect_is_an_answer_and_is_not_followed(client: HopClient) -> None:
    async with Vendor(answering(302, b"", {"location": "http://127.0.0.1:1/"})) as other:
        assert await ask(client, other.url) == 302
        assert len(other.asked) == 1


@pytest.mark.parametrize(
    ("behave", "expected"),
    [
        (hanging, DeadlineExceeded),
        (trickling, DeadlineExceeded),
        (hanging_up, SystemUnavailable),
        (resetting, SystemUnavailable),
        (HALF_AN_ANSWER, SystemUnavailable),
        (BAD_CHUNKS, SystemUnavailable),
        (saying(b"\x16\x03\x01 nonsense"), SystemUnavailable),
        (saying(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd"), SystemUnavailable),
        (saying(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n"), SystemUnavailable),
        (saying(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"), SystemUnavailable),
        (saying(b"HTTP/1.1 200 OK\r\n\r\nno length", then_close=True), SystemUnavailable),
    ],
)
async def test_an_answer_that_is_none_is_refused(
    client: HopClient, behave: Behaviour, expected: type[Exception]
) -> None:
    async with Vendor(behave) as other:
        with pytest.raises(expected) as caught:
            await ask(client, other.url)
        assert str(other.port) not in str(caught.value)
        other.behave = answering()
        assert await ask(client, other.url) == 200, "nothing of it reaches the next call"


async def test_an_answer_has_a_largest_size(client: HopClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hop, "TERMS", Terms(most_bytes=1_000_000))
    async with Vendor(pouring) as other:
        with pytest.raises(SystemUnavailable) as caught:
            await ask(client, other.url)
        assert isinstance(caught.value.__cause__, Unreadable)


async def test_what_comes_unasked_is_no_answer_to_the_next_call(client: HopClient) -> None:
    async with Vendor(saying(raw_answer(200, b"one") + raw_answer(200, b"two"))) as other:
        for _ in range(3):
            assert (await client.send("GET", f"{other.url}/", {}, None, 0.3)).body == b"one"
        assert other.connections == 3


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_connection_on_which_something_comes_unasked_is_not_used_again(at_once: bool) -> None:
    begun = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n"  # and the next call would be told the rest

    async def more_than_asked(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(raw_answer(200, b"one") + (begun if at_once else b""))
        await answered.wait()
        writer.write(begun)

    loop, answered = asyncio.get_running_loop(), asyncio.Event()
    async with Vendor(more_than_asked) as other:
        _, connection = await loop.create_connection(lambda: Connection(loop), "127.0.0.1", other.port)
        answer = await connection.exchange(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", 1.0, Terms(most_bytes=10))
        assert answer.body == b"one"
        assert connection.alive is not at_once
        answered.set()
        async with asyncio.timeout(30):
            while connection.alive:
                await asyncio.sleep(0.001)


async def test_a_caller_that_goes_away_leaves_no_answer_behind(client: HopClient) -> None:
    async with Vendor(hanging) as other:
        task = asyncio.create_task(ask(client, other.url))
        while not other.asked:
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        other.behave = answering(204, b"")
        assert await ask(client, other.url) == 204
        assert other.connections == 2


@pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"X": "a\nb"}, {"X": "a\rb"}, {"X\r\nY": "b"}])
async def test_no_header_brings_another_along(client: HopClient, headers: dict[str, str]) -> None:
    async with Vendor(answering()) as other:
        with pytest.raises(ValueError, match="line break"):
            await ask(client, other.url, headers=headers)
        assert not other.asked


@pytest.mark.parametrize(("method", "headers", "attempts"), [("GET", {}, 2), ("POST", KEYED, 2), ("POST", {}, 1)])
@pytest.mark.parametrize("trouble", [hanging_up, answering(503, b"<html>"), answering(502, b"")])
async def test_only_what_is_safe_to_repeat_is_repeated(
    client: HopClient, budget: RetryBudget, trouble: Behaviour, method: str, headers: dict[str, str], attempts: int
) -> None:
    for _ in range(3):
        budget.of(None)
    async with Vendor(in_turn(trouble, answering(200))) as other:
        try:
            status = await ask(client, other.url, method, headers)
        except SystemUnavailable:
            status = 503
        assert len(other.asked) == attempts
        assert (status == 200) == (attempts == 2)


async def test_a_problem_of_another_process_is_its_last_word(client: HopClient) -> None:
    async with Vendor(answering(503, b"{}", PROBLEM)) as other:
        for _ in range(40):
            assert await ask(client, other.url) == 503
        assert len(other.asked) == 40
        assert client.breakers[other.url].state == "closed", "a system behind it is away, not the process"


async def test_a_process_that_is_away_is_left_alone_and_asked_again_later() -> None:
    clock = ManualClock()
    client = HopClient(timeout_s=0.3, clock=clock)
    await client.start()
    away = nobody_there()
    for _ in range(HOP_BREAKER.least):
        with pytest.raises(SystemUnavailable):
            await ask(client, away)
    assert client.breakers[away].state == "open"
    async with Vendor(answering()) as other:
        other_breaker = client.breakers[other.url] = client.breakers[away]
        with pytest.raises(SystemUnavailable) as caught:
            await ask(client, other.url)
        assert 0 < caught.value.retry_after_s <= HOP_BREAKER.open_s
        assert not other.asked
        clock.advance(HOP_BREAKER.open_s)
        for _ in range(HOP_BREAKER.trials):
            assert await ask(client, other.url) == 200
        assert other_breaker.state == "closed"
    await client.stop()


async def test_a_short_deadline_says_nothing_about_the_other_process(client: HopClient) -> None:
    async with Vendor(hanging) as other:
        for _ in range(HOP_BREAKER.least + 5):
            with pytest.raises(DeadlineExceeded):
                await client.send("GET", f"{other.url}/", {}, None, 0.005)
        assert client.breakers[other.url].state == "closed"


@pytest.mark.parametrize("tells", [True, False])
async def test_a_lent_retry_comes_back_unless_it_was_spent(tells: bool) -> None:
    budget = RetryBudget(percent=50)
    client = HopClient(budget=budget)
    await client.start()
    headers = {RETRIED_HEADER: "1", **PROBLEM} if tells else {}
    async with Vendor(answering(200, b"{}", headers)) as other:
        for _ in range(2):
            await ask(client, other.url)
        assert [asked.headers[RETRIES_HEADER.lower()] for asked in other.asked] == ["0", "1"]
    assert budget.take() is not tells
    await client.stop()
