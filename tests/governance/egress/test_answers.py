"""Kept answers: fresh, stale and void ones, and many who ask the same at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from governance.call import Call, ManualClock, Principal, enter, leave
from governance.contract.refusals import DeadlineExceeded, SystemUnavailable
from governance.egress import Caching, Egress, VendorClient
from governance.egress.maintenance import Window
from governance.store import Store
from tests.governance.egress.conftest import IMPATIENT, opened
from tests.governance.egress.vendor import Asked, Behaviour, Vendor, answering, hanging_up, in_turn, raw_answer

pytestmark = pytest.mark.anyio
MINUTE = Caching(fresh_s=60, stale_s=600, tags=("product:B-1",))
ONCE = msgspec.structs.replace(IMPATIENT, attempts=1)


@pytest.fixture
async def client(shared: Egress) -> VendorClient:
    return await opened(shared, ONCE)


@pytest.fixture
async def elsewhere(store: Store, clock: ManualClock) -> AsyncIterator[VendorClient]:
    """The same system, as another process sees it."""
    other = Egress(clock=clock, store=store)
    client = other.vendor("erp", ONCE)
    await other.start()
    yield client
    await other.stop()


def numbered() -> Behaviour:
    """Another answer every time."""
    return in_turn(*(answering(200, b"%d" % number) for number in range(1, 100)))


async def read(client: VendorClient, vendor: Vendor, caching: Caching = MINUTE, path: str = "/") -> bytes:
    return (await client.request("GET", vendor.url + path, caching=caching)).body


async def test_an_answer_is_kept_for_its_time_and_for_all_processes(
    client: VendorClient, elsewhere: VendorClient, clock: ManualClock
) -> None:
    async with Vendor(numbered()) as vendor:
        assert [await read(one, vendor) for one in (client, client, elsewhere)] == [b"1", b"1", b"1"]
        clock.advance(59)
        assert await read(elsewhere, vendor) == b"1"
        clock.advance(1)
        assert await read(elsewhere, vendor) == b"2"
        assert len(vendor.asked) == 2


async def test_another_question_is_another_answer(client: VendorClient) -> None:
    async with Vendor(numbered()) as vendor:
        assert await read(client, vendor, path="/a") == b"1"
        assert await read(client, vendor, path="/b") == b"2"
        reply = await client.request("GET", f"{vendor.url}/a", headers={"Accept-Language": "de"}, caching=MINUTE)
        assert reply.body == b"3"


@pytest.mark.parametrize("status", [201, 204, 301, 400, 404, 500])
async def test_only_plain_success_is_kept(client: VendorClient, status: int) -> None:
    async with Vendor(answering(status, b"")) as vendor:
        for _ in range(2):
            await read(client, vendor)
        assert len(vendor.asked) == 2


async def test_a_hundred_who_ask_the_same_at_once_are_one_call(client: VendorClient) -> None:
    async def slowly(_: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        writer.write(raw_answer(200, b"same"))

    async with Vendor(slowly) as vendor:
        assert await asyncio.gather(*(read(client, vendor) for _ in range(100))) == [b"same"] * 100
        assert len(vendor.asked) == 1


async def test_who_asked_first_may_go_away_or_run_out_of_time(client: VendorClient, clock: ManualClock) -> None:
    go = asyncio.Event()

    async def when_told(_: Asked, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        writer.write(raw_answer(200, b"late"))

    async with Vendor(when_told) as vendor:
        call = Call(
            principal=Principal(subject="s", client_id="c"), operation_id="o", deadline=clock.monotonic() + 0.02
        )
        token = enter(call)
        hurried = asyncio.create_task(read(client, vendor))
        leave(token)
        await asyncio.sleep(0)
        gone = asyncio.create_task(read(client, vendor))
        patient = asyncio.create_task(read(client, vendor))
        with pytest.raises(DeadlineExceeded):
            await hurried
        gone.cancel()
        go.set()
        assert await patient == b"late"
        assert len(vendor.asked) == 1


async def test_a_failure_reaches_all_who_asked_and_is_not_kept(client: VendorClient) -> None:
    async with Vendor(in_turn(hanging_up, answering(200, b"again"))) as vendor:
        failures = await asyncio.gather(*(read(client, vendor) for _ in range(5)), return_exceptions=True)
        assert {type(one) for one in failures} == {SystemUnavailable}
        assert await read(client, vendor) == b"again"


async def test_while_the_vendor_fails_what_is_stale_is_served_and_says_so(
    client: VendorClient, clock: ManualClock
) -> None:
    async with Vendor(in_turn(answering(200, b"old"), answering(503))) as vendor:
        await read(client, vendor)
        clock.advance(60)
        reply = await client.request("GET", f"{vendor.url}/", caching=MINUTE)
        assert (reply.body, reply.stale) == (b"old", True)
        clock.advance(600)
        with pytest.raises(SystemUnavailable):
            await read(client, vendor)


async def test_an_event_makes_answers_void_in_every_process(client: VendorClient, elsewhere: VendorClient) -> None:
    other = Caching(fresh_s=60, tags=("product:C-2",))
    async with Vendor(numbered()) as vendor:
        assert await read(client, vendor) == b"1"
        assert await read(client, vendor, other, "/other") == b"2"
        await elsewhere.invalidate("product:B-1")
        assert await read(client, vendor) == b"3"
        assert await read(client, vendor, other, "/other") == b"2"
        await elsewhere.invalidate("product:B-1")
        vendor.behave = hanging_up
        with pytest.raises(SystemUnavailable):  # what is known to be wrong is not served for want of better
            await read(client, vendor)


async def test_an_answer_under_way_when_the_event_comes_is_void(client: VendorClient, elsewhere: VendorClient) -> None:
    async def overtaken(_: Asked, writer: asyncio.StreamWriter) -> None:
        await elsewhere.invalidate("product:B-1")
        writer.write(raw_answer(200, b"before"))

    async with Vendor(in_turn(overtaken, answering(200, b"after"))) as vendor:
        assert await read(client, vendor) == b"before"
        assert await read(client, vendor) == b"after"


@pytest.mark.rule("RFC 9110 §13.1.2", "An answer with an entity tag is asked for again by If-None-Match")
async def test_what_has_a_tag_is_asked_for_conditionally(client: VendorClient, clock: ManualClock) -> None:
    tagged = answering(200, b"body", {"etag": '"v1"', "x-of": "first"})
    not_modified = answering(304, b"", {"etag": '"v1"', "x-of": "second"})
    async with Vendor(in_turn(tagged, not_modified, not_modified)) as vendor:
        await read(client, vendor)
        clock.advance(60)
        reply = await client.request("GET", f"{vendor.url}/", caching=MINUTE)
        assert (reply.status, reply.body, reply.headers["x-of"]) == (200, b"body", "second")
        assert vendor.asked[1].headers["if-none-match"] == '"v1"'
        assert "if-none-match" not in vendor.asked[0].headers
        clock.advance(59)
        assert await read(client, vendor) == b"body", "its time begins anew"
        await client.invalidate("product:B-1")
        assert await read(client, vendor) == b"body", "the vendor says that it is still good"
        assert len(vendor.asked) == 3


async def test_without_the_store_reads_go_to_the_vendor_and_still_together(clock: ManualClock) -> None:
    egress = Egress(clock=clock, store=Store("/nowhere/at/all.sock"))
    client = egress.vendor("erp", ONCE)
    await egress.start()
    async with Vendor(numbered()) as vendor:
        assert await asyncio.gather(*(read(client, vendor) for _ in range(10))) == [b"1"] * 10
        assert await read(client, vendor) == b"2"
    await egress.stop()


async def test_in_a_maintenance_window_reads_serve_what_is_kept_and_all_else_comes_back_later(
    shared: Egress, clock: ManualClock
) -> None:
    window = Window(begin="02:00", until="04:00")
    client = await opened(shared, msgspec.structs.replace(ONCE, maintenance=(window,)))
    kept = Caching(fresh_s=60, stale_s=86_400)
    async with Vendor(numbered()) as vendor:
        assert await read(client, vendor, kept) == b"1"
        clock.advance(3 * 3600)
        reply = await client.request("GET", f"{vendor.url}/", caching=kept)
        assert (reply.body, reply.stale) == (b"1", True)
        for method, caching, path in (("GET", None, "/"), ("GET", kept, "/other"), ("POST", None, "/")):
            with pytest.raises(SystemUnavailable) as caught:
                await client.request(method, vendor.url + path, caching=caching, key="k")
            assert caught.value.retry_after_s == 3600
        assert len(vendor.asked) == 1
        clock.advance(3600)
        assert (await client.request("POST", f"{vendor.url}/", key="k")).body == b"2"


async def test_writes_are_never_kept_or_joined(client: VendorClient) -> None:
    async with Vendor(numbered()) as vendor:
        sent = (client.request("POST", f"{vendor.url}/", key="k", caching=MINUTE) for _ in range(3))
        assert len({reply.body for reply in await asyncio.gather(*sent)}) == 3
