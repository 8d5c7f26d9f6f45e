"""The way out to a vendor: what it makes of answers, of none, and of repeats, against servers that misbehave."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from governance.call import Call, ManualClock, Principal, enter, leave
from governance.contract.refusals import DeadlineExceeded, SystemUnavailable
from governance.egress import Egress, EgressSettings, Reply, VendorClient
from governance.egress.breaker import BreakerSettings
from governance.egress.failures import Unreadable
from tests.governance.egress.conftest import IMPATIENT, Pauses, opened
from tests.governance.egress.vendor import (
    BAD_CHUNKS,
    HALF_AN_ANSWER,
    Behaviour,
    Vendor,
    answering,
    hanging,
    hanging_up,
    in_turn,
    nobody_there,
    pouring,
    resetting,
    saying,
    trickling,
)
from tests.lived import lived

pytestmark = pytest.mark.anyio
PATIENT = BreakerSettings(least=1_000_000)
RETRY_SOON = {"retry-after": "2"}


async def save_up(client: VendorClient) -> None:
    """Let calls that go well earn retries."""
    async with Vendor(answering()) as well:
        for _ in range(20):
            await client.request("GET", f"{well.url}/")


async def test_a_request_and_its_answer_are_whole(egress: Egress) -> None:
    client = await opened(egress)
    async with Vendor(answering(201, b'{"id":"7"}', {"X-Made": "yes", "set-cookie": "a=b; Path=/"})) as vendor:
        reply = await client.request(
            "POST", f"{vendor.url}/a%2Fb", query={"q": "ä &"}, json={"n": 1}, headers={"X-Asked": "z"}, key="k-1"
        )
        assert (reply.status, reply.headers["x-made"], reply.read(dict[str, str])) == (201, "yes", {"id": "7"})
        await client.request("GET", f"{vendor.url}/")
    asked = vendor.asked[0]
    assert (asked.method, asked.target, asked.body) == ("POST", "/a%2Fb?q=%C3%A4+%26", b'{"n":1}')
    assert asked.headers["idempotency-key"] == '"k-1"'
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["accept-encoding"] == "identity"
    assert "cookie" not in vendor.asked[1].headers


@pytest.mark.parametrize("status", [200, 301, 302, 307, 400, 404, 409, 500])
async def test_answers_are_the_connectors_and_redirects_are_not_followed(egress: Egress, status: int) -> None:
    client = await opened(egress)
    async with Vendor(answering(status, b"{}", {"location": "http://127.0.0.1:1/"})) as vendor:
        assert (await client.request("GET", f"{vendor.url}/")).status == status
        assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    ("behave", "expected"),
    [
        (hanging, DeadlineExceeded),
        (trickling, DeadlineExceeded),
        (hanging_up, SystemUnavailable),
        (resetting, SystemUnavailable),
        (HALF_AN_ANSWER, SystemUnavailable),
        (BAD_CHUNKS, SystemUnavailable),
        (saying(b"\x16\x03\x01 nonsense\r\n\r\n"), SystemUnavailable),
        (answering(503), SystemUnavailable),
        (answering(429), SystemUnavailable),
        (answering(200, b"\x1f\x8b", {"content-encoding": "gzip"}), SystemUnavailable),
    ],
)
async def test_what_is_no_answer_is_a_problem_in_time(
    egress: Egress, behave: Behaviour, expected: type[Exception]
) -> None:
    client = await opened(egress)
    async with Vendor(behave) as vendor, lived() as lived_s:
        with pytest.raises(expected) as caught:
            await client.request("POST", f"{vendor.url}/")
        assert lived_s() < 1.0
        assert str(vendor.port) not in str(caught.value)
        assert len(vendor.asked) == 1


@pytest.mark.parametrize("behave", [pouring, answering(200, b"x" * 100_001)])
async def test_an_answer_has_a_largest_size(egress: Egress, behave: Behaviour) -> None:
    client = await opened(egress)
    async with Vendor(behave) as vendor:
        with pytest.raises(SystemUnavailable) as caught:
            await client.request("GET", f"{vendor.url}/")
        assert isinstance(caught.value.__cause__, Unreadable)


async def test_nobody_there_is_unavailable(egress: Egress) -> None:
    with pytest.raises(SystemUnavailable):
        await (await opened(egress)).request("GET", nobody_there())


@pytest.mark.parametrize("trouble", [hanging_up, resetting, answering(503), answering(502), answering(504)])
@pytest.mark.parametrize(("method", "key", "attempts"), [("GET", "", 2), ("POST", "k", 2), ("POST", "", 1)])
async def test_what_may_pass_is_repeated_where_that_is_safe(
    egress: Egress, trouble: Behaviour, method: str, key: str, attempts: int
) -> None:
    client = await opened(egress)
    await save_up(client)
    async with Vendor(in_turn(trouble, answering())) as vendor:
        try:
            reply: Reply | None = await client.request(method, f"{vendor.url}/", key=key)
        except SystemUnavailable:
            reply = None
        assert len(vendor.asked) == attempts
        assert (reply is not None) == (attempts == 2)


@pytest.mark.parametrize("trouble", [hanging, HALF_AN_ANSWER, BAD_CHUNKS, answering(500), answering(429)])
async def test_what_would_not_help_is_not_repeated(egress: Egress, trouble: Behaviour) -> None:
    client = await opened(egress)
    await save_up(client)
    async with Vendor(trouble) as vendor:
        with suppress(SystemUnavailable, DeadlineExceeded):
            await client.request("GET", f"{vendor.url}/")
        assert len(vendor.asked) == 1


@pytest.mark.rule("RFC 9110 §10.2.3", "Retry-After, in seconds or as a date, says when to ask again")
async def test_a_vendor_that_says_when_to_come_back_is_heeded(
    egress: Egress, clock: ManualClock, pauses: Pauses
) -> None:
    client = await opened(egress, msgspec.structs.replace(IMPATIENT, total_timeout_s=5.0))
    await save_up(client)
    in_three_s = {"retry-after": "Thu, 01 Jan 2026 00:00:03 GMT"}
    async with Vendor(in_turn(answering(429, b"", RETRY_SOON), answering(503, b"", in_three_s), answering())) as vendor:
        assert (await client.request("GET", f"{vendor.url}/")).ok
    assert pauses == [2.0, 3.0]
    async with Vendor(answering(429, b"", {"retry-after": "120"})) as vendor:
        with pytest.raises(SystemUnavailable) as caught:
            await client.request("GET", f"{vendor.url}/")
        assert caught.value.retry_after_s == 120
        assert len(vendor.asked) == 1


async def test_pauses_are_jittered_and_grow_to_a_bound(egress: Egress, pauses: Pauses) -> None:
    client = await opened(egress, msgspec.structs.replace(IMPATIENT, attempts=5, total_timeout_s=60.0, breaker=PATIENT))
    async with Vendor(hanging_up) as vendor:
        for _ in range(400):
            with pytest.raises(SystemUnavailable):
                await client.request("GET", f"{vendor.url}/")
    assert 150 <= len(pauses) <= 200
    assert max(pauses) <= 2.0
    assert len(set(pauses)) == len(pauses)
    assert min(pauses) < 0.02, "jitter is full: from nothing on"


async def test_under_total_failure_a_vendor_sees_a_tenth_more_at_most(pauses: Pauses) -> None:
    egress = Egress(pause=pauses)
    client = egress.vendor("erp", msgspec.structs.replace(IMPATIENT, breaker=PATIENT))
    await egress.start()
    async with Vendor(answering(503)) as vendor:

        async def caller() -> None:
            for _ in range(50):
                with pytest.raises(SystemUnavailable):
                    await client.request("GET", f"{vendor.url}/")

        await asyncio.gather(*(caller() for _ in range(20)))
        assert 1_000 < len(vendor.asked) <= 1_100
    await egress.stop()


async def test_nothing_is_repeated_that_no_budget_pays_for() -> None:
    """Also not on a connection that was used before."""
    egress = Egress(EgressSettings(retry_percent=0))
    client = egress.vendor("erp", msgspec.structs.replace(IMPATIENT, breaker=PATIENT))
    await egress.start()
    for trouble in (hanging_up, resetting):
        async with Vendor(in_turn(answering(), trouble)) as vendor:
            assert (await client.request("GET", f"{vendor.url}/")).ok
            for _ in range(5):
                with pytest.raises(SystemUnavailable):
                    await client.request("GET", f"{vendor.url}/")
            assert len(vendor.asked) == 6
    await egress.stop()


async def test_a_vendor_that_fails_is_left_alone_until_it_recovers(egress: Egress, clock: ManualClock) -> None:
    breaker = BreakerSettings(least=5, open_s=2.0)
    client = await opened(egress, msgspec.structs.replace(IMPATIENT, attempts=1, breaker=breaker))
    async with Vendor(answering(500)) as vendor:
        for _ in range(5):
            await client.request("GET", f"{vendor.url}/")
        for _ in range(20):
            with pytest.raises(SystemUnavailable) as caught:
                await client.request("GET", f"{vendor.url}/")
            assert caught.value.retry_after_s == 2.0
        assert len(vendor.asked) == 5
        async with Vendor(answering()) as elsewhere:
            assert (await client.request("GET", f"{elsewhere.url}/")).ok, "another endpoint is another breaker"
        vendor.behave = answering()
        clock.advance(2.0)
        for _ in range(10):
            assert (await client.request("GET", f"{vendor.url}/")).ok
        vendor.behave = answering(404)
        for _ in range(10):
            assert (await client.request("GET", f"{vendor.url}/")).status == 404, "a refusal is an answer"


async def test_a_deadline_bounds_the_call_and_does_not_blame_the_vendor(egress: Egress, clock: ManualClock) -> None:
    client = await opened(egress, msgspec.structs.replace(IMPATIENT, breaker=BreakerSettings(least=3)))
    call = Call(principal=Principal(subject="s", client_id="c"), operation_id="o", deadline=clock.monotonic() + 0.1)
    async with Vendor(hanging) as vendor:
        token = enter(call)
        try:
            for _ in range(5):
                with pytest.raises(DeadlineExceeded):
                    await client.request("GET", f"{vendor.url}/")
            assert len(vendor.asked) == 5
            clock.advance(1)
            with pytest.raises(DeadlineExceeded):
                await client.request("GET", f"{vendor.url}/")
            assert len(vendor.asked) == 5
        finally:
            leave(token)


async def test_a_caller_that_goes_away_is_not_the_vendors_fault(egress: Egress) -> None:
    client = await opened(egress, msgspec.structs.replace(IMPATIENT, breaker=BreakerSettings(least=2)))
    async with Vendor(hanging) as vendor:
        for number in range(4):
            task = asyncio.create_task(client.request("GET", f"{vendor.url}/"))
            while len(vendor.asked) <= number:
                await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        vendor.behave = answering()
        assert (await client.request("GET", f"{vendor.url}/")).ok


@pytest.mark.rule("RFC 9112 §6.3", "A body without a length ends with its connection")
async def test_old_and_odd_servers_are_understood(egress: Egress) -> None:
    client = await opened(egress)
    until_close = b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\n[1,2]"
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[1\r\n3\r\n,2]\r\n0\r\nx-sum: 7\r\n\r\n"
    for raw, closes in ((until_close, True), (chunked, False)):
        async with Vendor(saying(raw, then_close=closes)) as vendor:
            for _ in range(2):
                reply = await client.request("GET", f"{vendor.url}/#part")
                assert reply.read(list[int]) == [1, 2]
                assert "x-sum" not in reply.headers, "what trails a body is no header"
            assert vendor.asked[0].target == "/"
    async with Vendor(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")) as vendor:
        for _ in range(2):
            reply = await client.request("HEAD", f"{vendor.url}/")
            assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", "5")
    async with Vendor(saying(b"HTTP/1.1 204 No Content\r\n\r\n")) as vendor:
        for _ in range(2):
            assert (await client.request("DELETE", f"{vendor.url}/")).status == 204
        assert vendor.connections == 1


@pytest.mark.rule("RFC 9112 §9.3", "A connection that its server means to close is not used again")
async def test_a_connection_that_is_to_be_closed_is_not_used_again(egress: Egress) -> None:
    client = await opened(egress)
    async with Vendor(answering(200, b"{}", {"connection": "close"})) as vendor:
        for _ in range(3):
            assert (await client.request("GET", f"{vendor.url}/")).ok
        assert vendor.connections == 3


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("", "/"),
        ("/", "/"),
        ("?a=b", "/?a=b"),
        ("/a%2Fb//c?d=/e#f?g", "/a%2Fb//c?d=/e"),
        ("#f", "/"),
        ("/a@b:c", "/a@b:c"),
    ],
)
async def test_a_target_goes_out_as_it_is(egress: Egress, path: str, target: str) -> None:
    client = await opened(egress)
    async with Vendor(answering()) as vendor:
        await client.request("GET", vendor.url + path)
        assert vendor.asked[0].target == target


async def test_a_long_silence_ends_a_call_before_its_time_is_over(egress: Egress) -> None:
    client = await opened(egress, msgspec.structs.replace(IMPATIENT, read_timeout_s=0.1, total_timeout_s=60.0))
    async with Vendor(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegun")) as vendor:
        async with asyncio.timeout(30):
            with pytest.raises(DeadlineExceeded):
                await client.request("GET", f"{vendor.url}/")


@pytest.mark.parametrize(
    "path", ["/a b", "/a\r\nx: y", "/a\tb", "/ä", "/a\0b", "\\@evil.example.com/", "@evil.example.com/", ":port/"]
)
async def test_what_is_no_url_is_sent_nowhere(egress: Egress, path: str) -> None:
    client = await opened(egress)
    async with Vendor(answering()) as vendor:
        with pytest.raises(SystemUnavailable) as caught:
            await client.request("GET", vendor.url + path)
        assert isinstance(caught.value.__cause__, Unreadable)
        assert vendor.connections == 0


@pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"X": "a\nb"}, {"X\r\nY": "b"}, {"X": "a\0b"}])
async def test_no_header_brings_another_along(egress: Egress, headers: dict[str, str]) -> None:
    client = await opened(egress)
    async with Vendor(answering()) as vendor:
        with pytest.raises(ValueError, match="line break"):
            await client.request("GET", f"{vendor.url}/", headers=headers)
        assert vendor.connections == 0


@pytest.mark.parametrize("body", [b"", b"[", b"\xff", b'{"n":"x"}', b"[" * 100_000])
async def test_nonsense_is_unavailable(body: bytes) -> None:
    with pytest.raises(SystemUnavailable):
        Reply(status=200, body=body).read(dict[str, int])


async def test_nothing_is_taken_from_the_environment(egress: Egress, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, nobody_there())
    client: Any = await opened(egress)
    async with Vendor(answering()) as vendor:
        assert (await client.request("GET", f"{vendor.url}/")).ok


async def test_it_must_be_open() -> None:
    with pytest.raises(RuntimeError, match="not open"):
        await Egress().vendor("erp").request("GET", nobody_there())
