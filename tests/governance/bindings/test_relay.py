"""Streams over the remote binding: one without an end out of many short ones, without loss or repetition."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from pathlib import Path
from typing import Any, Protocol

import pytest
from msgspec import Struct

from governance.bindings import relay
from governance.bindings.assembly import Assembly, Wiring
from governance.bindings.edge import Edge
from governance.bindings.remote import HopClient
from governance.bindings.served import WireLimits
from governance.bindings.streams import streams_open
from governance.call import (
    Accounts,
    Answer,
    Call,
    Exchange,
    Handler,
    Policy,
    Principal,
    Stage,
    SystemClock,
    Wrap,
    current_call,
    enter,
)  # fmt: skip
from governance.contract import Contract, NotFound, Stream, api_of, by, stream
from governance.contract.discovery import DiscoveredApi
from governance.contract.graph import graph
from governance.contract.refusals import InternalError, SystemUnavailable

pytestmark = pytest.mark.anyio
READER = Principal(subject="r", client_id="r", accounts=Accounts(ids=("A",)), acting_api="upper.v1")


class Drop(Struct, frozen=True, kw_only=True):
    """One item."""

    id: str
    account_id: str = "A"


class RiversV1(Contract, Protocol, owner="Tests", folder="process_apis.rivers.v1"):
    """What streams."""

    @stream("/rivers/{river_id}", scope="rivers.drops:read", visible=by("account_id"))
    async def follow(self, river_id: str) -> Stream[Drop]:
        """Follow a river."""
        ...


class Rivers(RiversV1):
    needs = ()

    def __init__(self) -> None:
        self.drops: list[Drop] = []
        self.news = asyncio.Event()
        self.opened: list[str | None] = []

    async def follow(self, river_id: str) -> Stream[Drop]:
        if river_id == "none":
            raise NotFound()
        last = current_call().last_event_id
        self.opened.append(last)
        return Stream(self._after(int(last or 0)))

    async def _after(self, place: int) -> AsyncGenerator[Drop, None]:
        while True:
            while place < len(self.drops):
                yield self.drops[place]
                place += 1
            self.news.clear()
            await self.news.wait()

    def drop(self, count: int) -> None:
        for _ in range(count):
            self.drops.append(Drop(id=str(len(self.drops) + 1)))
        self.news.set()


class Introduced(Policy):
    """Every caller is a hop, which may wait."""

    name = "introduced"
    stage = Stage.IDENTIFY

    def enforce(self, operation: Any, binding: str) -> Wrap | None:
        def wrap(inner: Handler) -> Handler:
            def identify(exchange: Exchange) -> Awaitable[Any]:
                exchange.principal = READER
                wait_s = float(exchange.served.headers[b"prefer"].removeprefix(b"wait="))
                exchange.call = Call(principal=READER, operation_id=operation.id, wait_s=wait_s)
                return inner(exchange)

            return identify

        return wrap


class OverThere(HopClient):
    """The other process, in this one."""

    def __init__(self, edge: Edge) -> None:
        super().__init__()
        self.edge = edge
        self.away = False

    async def send(self, method: str, url: str, headers: dict[str, str], body: Any, timeout_s: float) -> Answer:
        if self.away:
            raise SystemUnavailable
        path = url.removeprefix("http://there")
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http", "method": method, "raw_path": path.encode(), "path": path, "query_string": b"",
            "headers": [(b"host", b"there"), *pairs], "client": ("127.0.0.1", 1),
        }  # fmt: skip
        told: list[Any] = []

        async def remember(message: Any) -> None:
            told.append(message)

        await self.edge(scope, asyncio.Event().wait, remember)
        return Answer(told[0]["status"], tuple(told[0]["headers"]), b"".join(one["body"] for one in told[1:]))


class HopForms:
    def token_for(self, user: Principal, acting_api: str, operation: Any) -> str:
        return acting_api


def assembled(tiers: Any, client: HopClient) -> Assembly:
    wiring = Wiring(
        tiers=frozenset(tiers), placement={"process": "http://there"}, policies=(Introduced(),), clock=SystemClock(),
        limits=WireLimits(), mode="direct", client=client, credentials=HopForms(),
    )  # fmt: skip
    return Assembly(graph([DiscoveredApi(api=api_of(Rivers), service=Rivers, folder=Path())]), wiring, {})


@pytest.fixture
async def worlds(anyio_backend: str) -> tuple[Any, OverThere, Any]:
    below = assembled({"process"}, HopClient())
    client = OverThere(Edge(below.routes, WireLimits()))
    stub = assembled({"experience"}, client).stub("upper.v1", RiversV1, api_of(RiversV1).operations)
    enter(Call(principal=READER, operation_id="upper.v1.read"))
    return below.services["rivers.v1"], client, stub


async def test_a_relayed_stream_misses_nothing_and_repeats_nothing(worlds: tuple[Any, OverThere, Any]) -> None:
    rivers, _, stub = worlds
    rivers.drop(3)
    followed = await stub.follow("r")
    seen: list[str] = []
    async for item in followed:
        seen.append(item.id)
        if len(seen) < 20 and len(seen) % 3 == 0:
            asyncio.get_running_loop().call_later(0.03 if len(seen) < 10 else 0, rivers.drop, 3)
        if len(seen) == 21:
            break
    await followed.close()
    assert seen == [str(number) for number in range(1, 22)]
    assert rivers.opened[:2] == [None, "3"]
    assert streams_open() == 0


async def test_a_stream_that_is_refused_there_is_refused_here(worlds: tuple[Any, OverThere, Any]) -> None:
    rivers, client, stub = worlds
    with pytest.raises(NotFound):
        await stub.follow("none")
    client.away = True
    with pytest.raises(SystemUnavailable):
        await stub.follow("r")
    client.away = False
    rivers.drop(1)
    followed = await stub.follow("r")
    client.away = True
    with pytest.raises(SystemUnavailable):
        assert [item.id async for item in followed] == ["1"]


async def test_an_idle_stream_asks_again_from_the_same_place(
    worlds: tuple[Any, OverThere, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rivers, _, stub = worlds
    monkeypatch.setattr(relay, "HELD_S", 0.02)
    followed = await stub.follow("r")
    asyncio.get_running_loop().call_later(0.1, rivers.drop, 1)
    assert (await anext(aiter(followed))).id == "1"
    assert len(rivers.opened) > 2 and set(rivers.opened) == {None}
    await followed.close()


@pytest.mark.expects_unexpected
async def test_what_is_no_item_ends_it(worlds: tuple[Any, OverThere, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    _, client, stub = worlds

    async def nonsense(*_: Any) -> Answer:
        return Answer(200, (), b'id: 1\ndata: {"id": 7}\n\n')

    monkeypatch.setattr(client, "send", nonsense)
    with pytest.raises(InternalError):
        await stub.follow("r")
