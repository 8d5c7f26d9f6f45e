"""Scripts: the wire form, and stores that have forgotten them."""

from __future__ import annotations

import asyncio

import pytest
from hiredis import pack_command
from hypothesis import given
from hypothesis import strategies as st

from governance.store import Arguments, Script, Store, StoreRefused

ECHO: Script[list[bytes]] = Script("echo", b"return {KEYS[1], ARGV[1]} -- 100%")


@given(st.lists(st.binary(max_size=40), max_size=4), st.lists(st.binary(max_size=40), max_size=4))
def test_the_wire_form_is_that_of_any_command(keys: list[bytes], arguments: list[bytes]) -> None:
    count = b"%d" % len(keys)
    assert ECHO.call(keys, arguments) == pack_command((b"EVALSHA", ECHO.digest, count, *keys, *arguments))  # pyright: ignore[reportArgumentType] - bytes all along
    assert ECHO.call(keys, Arguments(arguments)) == ECHO.call(keys, arguments)
    assert ECHO.call_by_source(keys, Arguments(arguments)) == ECHO.call_by_source(keys, arguments)
    assert ECHO.call_by_source(keys, arguments) == pack_command((b"EVAL", ECHO.source, count, *keys, *arguments))  # pyright: ignore[reportArgumentType]


@pytest.mark.anyio
async def test_a_forgotten_script_is_sent_again_within_the_call(store: Store) -> None:
    await store.command(b"SCRIPT", b"FLUSH")
    replies = await asyncio.gather(*(store.run(ECHO, (b"k",), (b"%d" % n,)) for n in range(50)))
    assert replies == [[b"k", b"%d" % n] for n in range(50)]
    assert await store.command(b"SCRIPT", b"EXISTS", ECHO.digest) == [1]


@pytest.mark.anyio
async def test_prepared_scripts_are_loaded_when_connecting(valkey_socket: str, store: Store) -> None:
    script: Script[int] = Script("prepared", b"return 4711")
    await store.command(b"SCRIPT", b"FLUSH")
    client = Store(valkey_socket, scripts=[script])
    await client.start()
    assert await store.command(b"SCRIPT", b"EXISTS", script.digest) == [1]
    await client.close()


@pytest.mark.anyio
async def test_a_failing_script_is_refused_and_harms_no_other_call(store: Store) -> None:
    broken: Script[int] = Script("broken", b"return redis.call('NOPE')")
    first, second = await asyncio.gather(
        store.run(broken, (), ()), store.command(b"ECHO", b"x"), return_exceptions=True
    )
    assert isinstance(first, StoreRefused)
    assert second == b"x"
