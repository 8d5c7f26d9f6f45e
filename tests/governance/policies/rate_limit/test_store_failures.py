"""Every way in which a store fails, one by one: the declared mode holds in time, and ends without a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from governance.call import Exchange, SystemClock
from governance.contract.refusals import RateLimited, SystemUnavailable
from governance.policies.rate_limit import Enforcement, Settings
from governance.store import Store
from governance.telemetry import CallMetrics
from tests.lived import lived

pytestmark = pytest.mark.anyio

BOUND_S = 0.25
Call = Callable[[], Exchange]


class Between:
    """Stands between client and store, and passes on what it is told to."""

    def __init__(self, store: str) -> None:
        self._store = store
        self.delay_s = 0.0
        self.silent = False
        self._streams: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_unix_connection(self._store)
        self._streams += (writer, there_writer)
        with suppress(ConnectionError):
            await asyncio.gather(self._pass(reader, there_writer, 0), self._pass(there_reader, writer, 1))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: int) -> None:
        while data := await reader.read(65536):
            await asyncio.sleep(self.delay_s * back)
            if not self.silent and not writer.is_closing():
                writer.write(data)
        writer.close()

    async def close(self) -> None:
        for stream in self._streams:
            stream.close()
            with suppress(ConnectionError):
                await stream.wait_closed()


@asynccontextmanager
async def between(store: str, path: Path) -> AsyncIterator[Between]:
    passing = Between(store)
    before = asyncio.all_tasks()
    server = await asyncio.start_unix_server(passing.serve, str(path))
    yield passing
    server.close()
    await passing.close()
    await asyncio.gather(*asyncio.all_tasks() - before, return_exceptions=True)


@asynccontextmanager
async def limiting(address: str, samples: Any, mode: str = "closed") -> AsyncIterator[Any]:
    """A handler that judges by the store at ``address``."""
    store = Store(address)
    settings = Settings(experience="1000/1h", on_store_failure=mode)  # type: ignore[arg-type] - a mode
    wrap = Enforcement(settings, store, SystemClock()).enforce(samples.operation("get_thing"), "served")
    assert wrap is not None
    await store.start()
    yield wrap(_reached)
    await store.close()


async def _reached(exchange: Exchange) -> str:
    return "reached"


async def unavailable(handler: Any, call: Call, calls: int = 20) -> None:
    """The mode holds for each of these calls, alone and at once, and each is answered in time."""

    async def one() -> None:
        async with lived() as lived_s:
            with pytest.raises(SystemUnavailable):
                await handler(call())
            assert lived_s() < BOUND_S

    await one()
    await asyncio.gather(*(one() for _ in range(calls)))


async def recovered(handler: Any, call: Call) -> None:
    """The store judges again soon."""
    async with asyncio.timeout(30):
        while True:
            exchange = call()
            with suppress(SystemUnavailable, RateLimited):
                await handler(exchange)
                assert "rate_limit" not in exchange.evidence
                return
            await asyncio.sleep(0.01)


@pytest.fixture
def call(samples: Any) -> Call:
    return lambda: samples.served("get_thing")


@pytest.mark.parametrize(
    ("hurt", "heal"),
    [
        ((b"CONFIG", b"SET", b"maxmemory", b"1"), (b"CONFIG", b"SET", b"maxmemory", b"0")),
        ((b"REPLICAOF", b"127.0.0.1", b"1"), (b"REPLICAOF", b"NO", b"ONE")),
        ((b"CONFIG", b"SET", b"min-replicas-to-write", b"1"), (b"CONFIG", b"SET", b"min-replicas-to-write", b"0")),
        ((b"ACL", b"SETUSER", b"default", b"-evalsha", b"-eval"), (b"ACL", b"SETUSER", b"default", b"+@all")),
    ],
    ids=["full memory", "read-only", "too few replicas", "not permitted"],
)
async def test_a_store_that_refuses_writes(
    fragile_store: Any, samples: Any, call: Call, hurt: tuple[bytes, ...], heal: tuple[bytes, ...]
) -> None:
    admin = Store(fragile_store.socket)
    await admin.start()
    async with limiting(fragile_store.socket, samples) as handler:
        await recovered(handler, call)
        await admin.command(*hurt)
        await unavailable(handler, call)
        await admin.command(*heal)
        await recovered(handler, call)
    await admin.close()


async def test_a_store_that_was_killed(fragile_store: Any, samples: Any, call: Call) -> None:
    async with limiting(fragile_store.socket, samples) as handler:
        fragile_store.kill()
        async with lived() as lived_s:
            began = 0.0
            with pytest.raises(SystemUnavailable):
                while True:
                    began = lived_s()
                    await handler(call())
            assert lived_s() - began < BOUND_S
        await recovered(handler, call)


async def test_a_store_that_falls_silent_on_an_open_connection(
    store: Store, valkey_socket: str, tmp_path: Path, samples: Any, call: Call
) -> None:
    """Half open: neither an answer nor an end, on this connection and on new ones."""
    async with between(valkey_socket, tmp_path / "s") as passing, limiting(str(tmp_path / "s"), samples) as handler:
        await handler(call())
        passing.silent = True
        await unavailable(handler, call)
        passing.silent = False
        await recovered(handler, call)


async def test_a_store_that_is_slow_is_waited_for_and_one_that_is_too_slow_is_not(
    store: Store, valkey_socket: str, tmp_path: Path, samples: Any, call: Call
) -> None:
    async with between(valkey_socket, tmp_path / "s") as passing, limiting(str(tmp_path / "s"), samples) as handler:
        passing.delay_s = 0.05
        exchange = call()
        await handler(exchange)
        assert "rate_limit" not in exchange.evidence
        passing.delay_s = 0.5
        await unavailable(handler, call)
        passing.delay_s = 0
        await recovered(handler, call)


async def test_a_store_that_is_not_there_is_refused_at_once(samples: Any, call: Call) -> None:
    wrap = Enforcement(Settings(on_store_failure="closed"), Store("/nowhere"), SystemClock()).enforce(
        samples.operation("get_thing"), "served"
    )
    assert wrap is not None
    async with lived() as lived_s:
        for _ in range(200):
            with pytest.raises(SystemUnavailable):
                await wrap(_reached)(call())
        assert lived_s() < BOUND_S


async def test_a_store_that_forgot_the_script_is_told_again_within_the_call(store: Store, samples: Any) -> None:
    wrap = Enforcement(Settings(experience="3/1h"), store, SystemClock()).enforce(
        samples.operation("get_thing"), "served"
    )
    assert wrap is not None
    for left in (2, 1, 0):
        await store.command(b"SCRIPT", b"FLUSH")
        exchange = samples.served("get_thing")
        await wrap(_reached)(exchange)
        assert f"r={left};".encode() in dict(exchange.response_headers)[b"ratelimit"]


async def test_calls_that_the_store_did_not_judge_are_counted(store: Store, samples: Any, call: Call) -> None:
    for where, connected, counted in ((Store("/nowhere"), 0, 2), (store, 1, 0)):
        metrics = CallMetrics()
        limited = Enforcement(Settings(on_store_failure="open"), where, SystemClock(), metrics=metrics)
        wrap = limited.enforce(samples.operation("get_thing"), "served")
        assert wrap is not None
        for _ in range(2):
            await wrap(_reached)(call())
        page = metrics.text().decode()
        assert f'tiergate_rate_limit_unjudged_total{{mode="open"}} {counted}.0' in page
        assert f"tiergate_store_connected {connected}.0" in page
