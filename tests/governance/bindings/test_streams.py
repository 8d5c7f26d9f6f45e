"""Streams over ASGI: framing, resumption, heartbeats, ends, bounds, and what they hold given back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import pytest
from msgspec import Struct

from governance.bindings.assembly import Assembly, Wiring
from governance.bindings.edge import Edge
from governance.bindings.remote import HopClient
from governance.bindings.served import WireLimits
from governance.bindings.streams import end_streams, frame, streams_open
from governance.call import Accounts, Call, Exchange, Handler, ManualClock, Policy, Principal, Stage, Wrap, current_call
from governance.contract import Contract, ContractError, NotFound, Stream, api_of, by, deprecated, stream
from governance.contract.discovery import DiscoveredApi
from governance.contract.graph import graph
from governance.policies import ownership

pytestmark = pytest.mark.anyio
CLOCK = ManualClock()
EXPIRES_S = 600.0


class Beat(Struct, frozen=True, kw_only=True):
    """One item."""

    id: str
    account_id: str
    text: str = ""


class Anonymous(Struct, frozen=True):
    """It has no id."""


class HeartsV1(Contract, Protocol, owner="Tests", folder="process_apis.hearts.v1"):
    """What streams."""

    @stream("/hearts/{heart_id}/beats", scope="hearts.beats:read", visible=by("account_id"))
    async def follow(self, heart_id: str) -> Stream[Beat]:
        """Follow a heart."""
        ...

    @stream(
        "/old", scope="hearts.beats:read", public_because="It is of nobody.",
        lifecycle=deprecated(since=date(2025, 1, 1), sunset=date(2026, 1, 2)),
    )  # fmt: skip
    async def old(self) -> Stream[Beat]:
        """Follow what goes soon."""
        ...


class Hearts(HeartsV1):
    needs = ()

    def __init__(self) -> None:
        self.beats: asyncio.Queue[Beat | Exception | None] = asyncio.Queue()
        self.closed = 0

    async def follow(self, heart_id: str) -> Stream[Beat]:
        if heart_id == "none":
            raise NotFound()
        await self.beats.put(Beat(id="0", account_id="A", text=f"after {current_call().last_event_id}"))
        return Stream(self._beats())

    async def old(self) -> Stream[Beat]:
        return Stream(self._beats())

    async def _beats(self) -> AsyncGenerator[Beat, None]:
        try:
            while (beat := await self.beats.get()) is not None:
                if isinstance(beat, Exception):
                    raise beat
                yield beat
        finally:
            self.closed += 1


class Introduced(Policy):
    """Every caller is of account A, until its token expires."""

    name = "introduced"
    stage = Stage.IDENTIFY

    def enforce(self, operation: Any, binding: str) -> Wrap | None:
        def wrap(inner: Handler) -> Handler:
            def identify(exchange: Exchange) -> Awaitable[Any]:
                exchange.principal = Principal(
                    subject="r", client_id="r", accounts=Accounts(ids=("A",)),
                    expires_at=CLOCK.now().timestamp() + EXPIRES_S,
                )  # fmt: skip
                prefer = exchange.served.headers.get(b"prefer", b"wait=0").removeprefix(b"wait=")
                exchange.call = Call(principal=exchange.principal, operation_id=operation.id, wait_s=float(prefer))
                return inner(exchange)

            return identify

        return wrap if binding == "served" else None


class Reader:
    """One client: what it was sent so far, and its own end of the connection."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.text = ""
        self.more = True
        self.leave = asyncio.Event()
        self.reading = asyncio.Event()
        self.reading.set()
        self._news = asyncio.Condition()

    async def receive(self) -> dict[str, Any]:
        await self.leave.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self.reading.wait()
        async with self._news:
            if message["type"] == "http.response.start":
                self.status, self.headers = message["status"], dict(message["headers"])
            else:
                self.text += message["body"].decode()
                self.more = message.get("more_body", False)
            self._news.notify_all()

    async def until(self, good: Callable[[], bool]) -> None:
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(good)

    async def told(self, text: str) -> None:
        await self.until(lambda: text in self.text)


class World:
    def __init__(self, limits: WireLimits, mode: Any = "direct") -> None:
        self.clock = CLOCK
        policies = (Introduced(), ownership.Enforcement(ownership.Settings(), self.clock))
        wiring = Wiring(
            tiers=frozenset({"process"}), placement={}, policies=policies, clock=self.clock, limits=limits, mode=mode,
            client=HopClient(), credentials=None,
        )  # fmt: skip
        apis = [DiscoveredApi(api=api_of(Hearts), service=Hearts, folder=Path())]
        self.assembly = Assembly(graph(apis), wiring, {})
        self.edge = Edge(self.assembly.routes, limits)
        self.hearts: Any = self.assembly.services["hearts.v1"]

    @asynccontextmanager
    async def reading(
        self, path: str = "/hearts/h/beats", method: str = "GET", **headers: str
    ) -> AsyncGenerator[tuple[Reader, asyncio.Task[None]]]:
        reader = Reader()
        named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http", "method": method, "raw_path": f"/process/hearts/v1{path}".encode(), "query_string": b"",
            "path": f"/process/hearts/v1{path}", "headers": [(b"host", b"h"), *named], "client": ("127.0.0.1", 1),
        }  # fmt: skip
        task = asyncio.create_task(self.edge(scope, reader.receive, reader.send))
        try:
            yield reader, task
        finally:
            reader.leave.set()
            reader.reading.set()
            async with asyncio.timeout(30):
                await task

    def beat(self, *ids: str, account_id: str = "A") -> None:
        for one in ids:
            self.hearts.beats.put_nowait(Beat(id=one, account_id=account_id, text=one))


@pytest.fixture(params=["direct", "verify"])
def world(request: pytest.FixtureRequest) -> World:
    return World(WireLimits(stream_heartbeat_s=30, streams_per_client=2), request.param)


@pytest.mark.rule("HTML §9.2.5", "An event is its fields, one a line, and an empty line; the text is UTF-8.")
def test_an_item_is_one_event_with_one_line_of_data() -> None:
    framed = frame(Beat(id="b-1", account_id="A", text="two\nlines, \r ü"))
    assert framed == b'id: b-1\ndata: {"id":"b-1","account_id":"A","text":"two\\nlines, \\r \xc3\xbc"}\n\n'


@pytest.mark.rule("HTML §9.2.6", "An id holds no NULL; a line break would end its field.")
@pytest.mark.parametrize("item_id", ["a\nb", "a\rb", "a\0b"])
def test_an_id_that_would_break_the_framing_is_refused(item_id: str) -> None:
    with pytest.raises(ValueError, match="event stream"):
        frame(Beat(id=item_id, account_id="A"))


@pytest.mark.rule("HTML §9.2.3", "A stream is 200 with the content type text/event-stream.")
@pytest.mark.rule("HTML §9.2.4", "A client that comes back says the last id in Last-Event-ID.")
async def test_items_are_sent_as_they_happen_after_the_last_that_the_client_has(world: World) -> None:
    async with world.reading(accept="text/event-stream", last_event_id="b-7") as (reader, _):
        await reader.told("after b-7")
        assert reader.status == 200
        assert reader.headers[b"content-type"] == b"text/event-stream"
        assert reader.headers[b"cache-control"] == b"no-store"
        assert b"request-id" in reader.headers and b"content-length" not in reader.headers
        assert reader.text.startswith("retry: 2000\n\nid: 0\ndata: {")
        world.beat("b-8", "b-9")
        await reader.told("b-9")
        assert [line for line in reader.text.splitlines() if line.startswith("id")] == ["id: 0", "id: b-8", "id: b-9"]
    assert world.hearts.closed == 1


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/hearts/none/beats", {}, 404),
        ("/hearts/h/beats", {"accept": "application/json"}, 406),
        ("/hearts/h/beats", {"last_event_id": "x" * 201}, 400),
    ],
)
async def test_a_refused_opening_is_a_problem_like_any_other(
    world: World, path: str, headers: dict[str, str], status: int
) -> None:
    async with world.reading(path, **headers) as (reader, task):
        await task
        assert reader.status == status
        assert reader.headers[b"content-type"] == b"application/problem+json"


async def test_head_answers_without_a_stream(world: World) -> None:
    async with world.reading(method="HEAD") as (reader, task):
        await task
        assert (reader.status, reader.text) == (200, "")


async def test_another_accounts_item_ends_the_stream_before_it_is_sent(world: World) -> None:
    async with world.reading() as (reader, task):
        world.beat("mine")
        world.beat("theirs", account_id="B")
        await task
        assert "mine" in reader.text and "theirs" not in reader.text and not reader.more


@pytest.mark.rule("HTML §9.2.7", "A comment every 15 seconds or so keeps proxies from dropping a silent connection.")
async def test_a_silent_stream_sends_comments() -> None:
    world = World(WireLimits(stream_heartbeat_s=0.01))
    async with world.reading() as (reader, _):
        await reader.until(lambda: reader.text.count(":\n\n") > 3)
        world.beat("b-1")
        await reader.told("b-1")


async def test_a_stream_ends_when_its_process_drains(world: World) -> None:
    async with world.reading() as (reader, task), world.reading() as (other, second):
        await reader.told("after")
        await other.until(lambda: "retry" in other.text)
        end_streams()
        await asyncio.gather(task, second)
        assert (reader.more, other.more) == (False, False)


@pytest.mark.parametrize(("path", "seconds"), [("/hearts/h/beats", EXPIRES_S), ("/old", 86_400)])
async def test_a_stream_ends_with_the_token_and_with_the_operation(path: str, seconds: float) -> None:
    world = World(WireLimits(stream_heartbeat_s=0.01))
    CLOCK.__init__()
    async with world.reading(path) as (reader, task):
        await reader.until(lambda: ":\n\n" in reader.text)
        CLOCK.advance(seconds)
        await task
        assert not reader.more


async def test_a_client_may_ask_for_a_short_one(world: World) -> None:
    async with world.reading(prefer="wait=5") as (reader, task):
        await reader.told("after")
        CLOCK.advance(6)
        world.beat("late")
        await task
        assert not reader.more


async def test_a_client_has_a_bounded_number_of_streams(world: World) -> None:
    async with world.reading() as (first, _), world.reading() as (second, _):
        await first.until(lambda: first.status == 200)
        await second.until(lambda: second.status == 200)
        async with world.reading() as (third, refused):
            await refused
            assert (third.status, third.headers[b"retry-after"]) == (429, b"5")
            first.leave.set()
            second.leave.set()
    assert streams_open() == 0
    async with world.reading() as (again, _):
        await again.until(lambda: again.status == 200)


async def test_a_client_that_does_not_read_holds_nobody_up(world: World) -> None:
    async with world.reading() as (slow, task):
        await slow.told("after")
        slow.reading.clear()
        world.beat("b-1")
        async with asyncio.timeout(30):
            while not world.hearts.beats.empty():
                await asyncio.sleep(0)
        end_streams()
        await task
    assert world.hearts.closed == 1


@pytest.mark.expects_unexpected
async def test_a_stream_that_fails_ends_and_is_logged(world: World, unexpected: list[Any]) -> None:
    async with world.reading() as (reader, task):
        world.hearts.beats.put_nowait(RuntimeError("broken"))
        await task
        assert not reader.more
    assert [record.getMessage() for record in unexpected] == ["hearts.v1.follow: a stream failed"]


def test_a_badly_shaped_stream_is_refused() -> None:
    with pytest.raises(ContractError, match="returns Stream"):

        class One(Contract, Protocol, owner="T", folder="process_apis.one.v1"):  # pyright: ignore[reportUnusedClass]
            """One."""

            @stream("/a", scope="one.a:read", public_because="Nobody's.")
            async def follow(self) -> Beat:
                """Follow."""
                ...

    with pytest.raises(ContractError, match="with an id"):

        class Two(Contract, Protocol, owner="T", folder="process_apis.two.v1"):  # pyright: ignore[reportUnusedClass]
            """Two."""

            @stream("/a", scope="two.a:read", public_because="Nobody's.")
            async def follow(self) -> Stream[Anonymous]:
                """Follow."""
                ...
