"""Stores that are there and can't serve: loading, replicas, nonsense. Played by a small server of our own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import hiredis
import pytest

from governance.store import Store, StoreUnavailable

pytestmark = pytest.mark.anyio

Answer = Callable[[list[bytes]], bytes]


@asynccontextmanager
async def playing(path: Path, answer: Answer) -> AsyncIterator[list[list[bytes]]]:
    """A server at ``path`` that gives ``answer`` to each command; yields what it was sent."""
    heard: list[list[bytes]] = []
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        commands = hiredis.Reader()
        while data := await reader.read(65536):
            commands.feed(data)
            while (command := commands.gets()) is not False:
                heard.append(command)
                writer.write(answer(command))

    server = await asyncio.start_unix_server(serve, str(path))
    try:
        yield heard
    finally:
        server.close()
        for writer in writers:
            writer.close()
            await writer.wait_closed()


async def test_a_loading_store_is_waited_for(tmp_path: Path) -> None:
    pings = 0

    def loading_twice(command: list[bytes]) -> bytes:
        nonlocal pings
        pings += 1
        return b"-LOADING Valkey is loading the dataset in memory\r\n" if pings <= 2 else b"+PONG\r\n"

    async with playing(tmp_path / "s", loading_twice):
        store = Store(str(tmp_path / "s"))
        await store.start()
        assert pings == 3
        await store.close()


async def test_a_store_that_keeps_loading_is_named(tmp_path: Path) -> None:
    async with playing(tmp_path / "s", lambda _: b"-LOADING still\r\n"):
        with pytest.raises(StoreUnavailable, match="LOADING"):
            await Store(str(tmp_path / "s")).start(patience_s=0.1)


@pytest.mark.parametrize("code", ["LOADING", "BUSY", "MASTERDOWN", "READONLY", "MISCONF", "OOM"])
async def test_what_means_not_now_is_unavailable(tmp_path: Path, code: str) -> None:
    def answer(command: list[bytes]) -> bytes:
        return b"+PONG\r\n" if command == [b"PING"] else f"-{code} not now\r\n".encode()

    async with playing(tmp_path / "s", answer):
        store = Store(str(tmp_path / "s"))
        await store.start()
        with pytest.raises(StoreUnavailable, match=code):
            await store.command(b"SET", b"a", b"b")
        await store.close()


async def test_a_replica_is_left_for_the_next_connection(tmp_path: Path) -> None:
    def answer(command: list[bytes]) -> bytes:
        return b"+PONG\r\n" if command == [b"PING"] else b"-READONLY You can't write against a read only replica.\r\n"

    async with playing(tmp_path / "s", answer) as heard:
        store = Store(str(tmp_path / "s"))
        await store.start()
        with pytest.raises(StoreUnavailable):
            await store.command(b"SET", b"a", b"b")
        await store.start()
        assert heard.count([b"PING"]) == 2
        await store.close()


@pytest.mark.parametrize("nonsense", [b"?what\r\n", b"+PONG\r\n+PONG\r\n+PONG\r\n"])
async def test_nonsense_ends_the_connection_not_the_program(tmp_path: Path, nonsense: bytes) -> None:
    def answer(command: list[bytes]) -> bytes:
        return b"+PONG\r\n" if command == [b"PING"] else nonsense

    async with playing(tmp_path / "s", answer):
        store = Store(str(tmp_path / "s"))
        await store.start()
        outcomes = await asyncio.gather(store.command(b"GET", b"a"), store.command(b"PING"), return_exceptions=True)
        assert any(isinstance(outcome, StoreUnavailable) for outcome in outcomes) or nonsense.startswith(b"+")
        await store.start()
        assert await store.command(b"PING") == b"PONG"
        await store.close()


async def test_a_store_that_greets_and_hangs_up_is_not_connected(tmp_path: Path) -> None:
    greeted = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal greeted
        greeted += 1
        await reader.read(65536)
        writer.write(b"+PONG\r\n")  # greeting and end leave in one segment
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_unix_server(serve, str(tmp_path / "s"))
    before = asyncio.all_tasks()
    store = Store(str(tmp_path / "s"))
    with pytest.raises(StoreUnavailable, match="closed the connection"):
        await store.start(patience_s=0.4)
    assert 2 <= greeted < 60  # with pauses, not in a circle
    assert not store.connected
    server.close()
    await asyncio.gather(*asyncio.all_tasks() - before)
