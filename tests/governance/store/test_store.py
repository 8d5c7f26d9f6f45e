"""The store client: equal to redis-py in what it answers, bounded in when it answers."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from typing import Any

import pytest
import redis.asyncio as redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.store import Store, StoreOptions, StoreRefused, StoreUnavailable
from tests.lived import lived

pytestmark = pytest.mark.anyio

BOUND_S = 0.25
PATIENCE_S = 20.0

COMMANDS: list[tuple[bytes | str | int, ...]] = [
    ("SET", "text", "grüß"),
    (b"GET", b"text"),
    (b"GET", b"nothing"),
    ("INCRBY", "count", 41),
    ("SET", "empty", b""),
    ("GET", "empty"),
    ("RPUSH", "list", "a", b"\x00\r\n\xff", "c"),
    ("LRANGE", "list", 0, -1),
    ("LRANGE", "nothing", 0, -1),
    ("HSET", "hash", "field", 1),
    ("MGET", "text", "nothing", "empty"),
    ("EVAL", "return {1, {2, 'x'}, false}", 0),
    ("EXISTS", "text"),
    ("SET", "large", b"x" * 300_000),
    ("GET", "large"),
]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():
            await asyncio.sleep(0.01)


async def answers(store: Store) -> bool:
    try:
        return await store.command(b"PING") == b"PONG"
    except StoreUnavailable:
        return False


async def test_replies_are_those_of_redis_py(store: Store, valkey_socket: str) -> None:
    reference = redis.Redis(unix_socket_path=valkey_socket)
    reference.response_callbacks.clear()
    for command in COMMANDS:
        await store.command(b"FLUSHDB")
        ours = [await store.command(*each) for each in COMMANDS[: COMMANDS.index(command) + 1]]
        await store.command(b"FLUSHDB")
        theirs = [await reference.execute_command(*each) for each in COMMANDS[: COMMANDS.index(command) + 1]]
        assert ours[-1] == theirs[-1], command
    await reference.aclose()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(values=st.lists(st.binary(max_size=2_000), min_size=1, max_size=30))
async def test_every_caller_gets_its_own_reply(store: Store, values: list[bytes]) -> None:
    assert await asyncio.gather(*(store.command(b"ECHO", value) for value in values)) == values


async def test_a_caller_that_goes_away_shifts_no_reply(store: Store) -> None:
    async def ask(number: int) -> bytes:
        return await store.command(b"ECHO", b"%d" % number)

    tasks = [asyncio.create_task(ask(number)) for number in range(100)]
    await asyncio.sleep(0)
    for task in tasks[::3]:
        task.cancel()
    replies = await asyncio.gather(*tasks, return_exceptions=True)
    for number, reply in enumerate(replies):
        assert isinstance(reply, asyncio.CancelledError) if number % 3 == 0 else reply == b"%d" % number


async def test_a_wrong_command_is_refused(store: Store) -> None:
    await store.command(b"SET", b"text", b"x")
    with pytest.raises(StoreRefused, match="WRONGTYPE"):
        await store.command(b"LPUSH", b"text", b"y")
    assert await store.command(b"GET", b"text") == b"x"


async def test_commands_of_one_turn_leave_together(store: Store) -> None:
    before = await _reads(store)
    await asyncio.gather(*(store.command(b"PING") for _ in range(500)))
    assert await _reads(store) - before < 20


async def _reads(store: Store) -> int:
    info: bytes = await store.command(b"INFO", b"stats")
    return int(info.partition(b"total_reads_processed:")[2].split()[0])


async def test_too_many_waiting_calls_are_refused_at_once(fragile_store: Any) -> None:
    store = Store(fragile_store.socket, options=StoreOptions(outstanding_limit=10))
    await store.start()
    fragile_store.freeze()
    waiting = [asyncio.ensure_future(store.command(b"PING")) for _ in range(10)]
    with pytest.raises(StoreUnavailable, match="10 calls wait"):
        await store.command(b"PING")
    failures = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(failure, StoreUnavailable) for failure in failures)
    await store.close()


async def test_a_frozen_store_is_unavailable_within_the_bound_then_at_once(fragile_store: Any) -> None:
    store = Store(fragile_store.socket)
    await store.start()
    fragile_store.freeze()
    async with lived() as lived_s:
        started = time.monotonic()
        with pytest.raises(StoreUnavailable, match="did not answer"):
            await store.command(b"PING")
        assert time.monotonic() - started > 0.1
        assert lived_s() < BOUND_S
    async with lived() as lived_s:
        for _ in range(100):
            with pytest.raises(StoreUnavailable):
                await store.command(b"PING")
        assert lived_s() < 0.05
    fragile_store.thaw()
    await until(lambda: answers(store))
    await store.close()


async def test_a_killed_store_comes_back_with_what_it_had_answered(fragile_store: Any) -> None:
    store = Store(fragile_store.socket)
    await store.start()
    await asyncio.gather(*(store.command(b"SET", b"k%d" % n, b"v") for n in range(200)))
    fragile_store.kill()
    async with lived() as lived_s:
        began = 0.0
        with pytest.raises(StoreUnavailable):
            while True:
                began = lived_s()
                await store.command(b"PING")
        assert lived_s() - began < BOUND_S
    await until(lambda: answers(store))
    assert await store.command(b"DBSIZE") == 200
    await store.close()


async def test_calls_wait_for_a_connection_that_is_being_made_again(store: Store, valkey_socket: str) -> None:
    own = await store.command(b"CLIENT", b"ID")
    admin = Store(valkey_socket)
    await admin.start()
    await admin.command(b"CLIENT", b"KILL", b"ID", own)
    async with asyncio.timeout(PATIENCE_S):
        while store.connected:
            await asyncio.sleep(0)
    assert await asyncio.gather(*(store.command(b"PING") for _ in range(5))) == [b"PONG"] * 5
    assert await store.command(b"CLIENT", b"ID") != own
    await admin.close()


async def test_no_store_at_the_address() -> None:
    store = Store("/nowhere/valkey.sock")
    with pytest.raises(StoreUnavailable, match="No such file"):
        await store.start(patience_s=0.1)


async def test_a_client_that_was_not_started_or_is_closed_says_so(valkey_socket: str) -> None:
    store = Store(valkey_socket)
    with pytest.raises(StoreUnavailable, match="not started"):
        await store.command(b"PING")
    await store.start()
    await store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.command(b"PING")


async def test_tcp_with_password_and_database(fragile_store: Any, unused_tcp_port: int) -> None:
    admin = Store(fragile_store.socket)
    await admin.start()
    for option, value in (("bind", "127.0.0.1"), ("port", str(unused_tcp_port)), ("requirepass", "s3cret")):
        await admin.command(b"CONFIG", b"SET", option, value)
    await admin.close()
    store = Store(f"redis://:s3cret@127.0.0.1:{unused_tcp_port}/5")
    await store.start()
    assert b"db=5" in await store.command(b"CLIENT", b"INFO")
    await store.close()
    with pytest.raises(StoreUnavailable, match="WRONGPASS"):
        await Store(f"redis://:wrong@127.0.0.1:{unused_tcp_port}").start(patience_s=0.1)


async def test_a_forked_child_does_not_share_the_connection(store: Store) -> None:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_call_in_child, args=(store, theirs))
    child.start()
    said = await asyncio.to_thread(ours.recv)
    child.join(10)
    assert "forked" in said
    assert await asyncio.gather(*(store.command(b"ECHO", b"%d" % n) for n in range(9))) == [b"%d" % n for n in range(9)]


def _call_in_child(store: Store, pipe: Connection) -> None:
    async def call() -> str:
        try:
            await store.command(b"PING")
        except StoreUnavailable as failure:
            return str(failure)
        return "it answered"

    asyncio.events._set_running_loop(None)  # the parent's loop was running when the child was made
    pipe.send(asyncio.new_event_loop().run_until_complete(call()))
