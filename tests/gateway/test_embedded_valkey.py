"""The embedded store: one a home, gone with its parent, back after every kind of end."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.embedded.valkey import EmbeddedValkey, ValkeyFailed
from governance.store import Store

pytestmark = pytest.mark.anyio

PATIENCE_S = 40.0
PARENT = """
import asyncio, sys
from pathlib import Path
from gateway.embedded.valkey import EmbeddedValkey

async def main():
    valkey = EmbeddedValkey(Path(sys.argv[1]))
    await valkey.start()
    print(valkey.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def ask(socket: Path, *command: str) -> object:
    store = Store(str(socket))
    await store.start()
    try:
        return await store.command(*command)
    finally:
        await store.close()


@pytest.fixture
def parent(tmp_path: Path):
    """A process that runs a store in ``tmp_path``, and the store's process id."""
    process = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path / "v")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process, int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()


async def test_it_answers_on_a_private_socket_and_keeps_its_data(tmp_path: Path) -> None:
    for stored in (None, b"x"):
        valkey = EmbeddedValkey(tmp_path / "v")
        socket = await valkey.start()
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "v").stat().st_mode) == 0o700
        assert await ask(socket, "SET", "key", "x", "GET") == stored
        await valkey.stop()
        assert not socket.exists()


async def test_a_second_one_joins_and_takes_over_when_the_first_ends(tmp_path: Path) -> None:
    first, second = EmbeddedValkey(tmp_path / "v"), EmbeddedValkey(tmp_path / "v")
    socket = await first.start()
    assert await second.start() == socket
    assert (first.pid is not None, second.pid) == (True, None)
    await ask(socket, "SET", "key", "x")
    await first.stop()
    assert await ask(socket, "GET", "key") == b"x"
    assert second.pid is not None
    await second.stop()


async def test_many_that_start_at_once_share_one_server(tmp_path: Path) -> None:
    many = [EmbeddedValkey(tmp_path / "v") for _ in range(5)]
    await asyncio.gather(*(each.start() for each in many))
    assert sum(each.pid is not None for each in many) == 1
    await asyncio.gather(*(each.stop() for each in many))


async def test_it_dies_with_a_killed_parent(tmp_path: Path, parent: tuple[subprocess.Popen[str], int]) -> None:
    process, pid = parent
    await ask(tmp_path / "v" / "valkey.sock", "SET", "key", "x")
    process.kill()
    await until(lambda: not alive(pid))
    valkey = EmbeddedValkey(tmp_path / "v")
    assert await ask(await valkey.start(), "GET", "key") == b"x"
    await valkey.stop()


async def test_a_leftover_that_hangs_is_ended(tmp_path: Path, parent: tuple[subprocess.Popen[str], int]) -> None:
    process, pid = parent
    await ask(tmp_path / "v" / "valkey.sock", "SET", "key", "x")
    os.kill(pid, signal.SIGSTOP)
    process.kill()
    process.wait()
    valkey = EmbeddedValkey(tmp_path / "v")
    assert await ask(await valkey.start(), "GET", "key") == b"x"
    assert not alive(pid)
    await valkey.stop()


async def test_a_process_that_is_not_ours_is_let_be(tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    home = tmp_path / "v"
    home.mkdir()
    (home / "valkey.pid").write_text(str(bystander.pid))
    (home / "valkey.sock").touch()
    valkey = EmbeddedValkey(home)
    assert await ask(await valkey.start(), "PING") == b"PONG"
    assert bystander.poll() is None
    await valkey.stop()
    bystander.communicate(b"\n")


async def test_a_killed_server_is_started_again(tmp_path: Path) -> None:
    valkey = EmbeddedValkey(tmp_path / "v")
    socket = await valkey.start()
    await ask(socket, "SET", "key", "x")
    killed = valkey.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    await until(lambda: valkey.pid != killed)
    assert await ask(socket, "GET", "key") == b"x"
    await valkey.stop()


async def test_a_home_with_a_long_path(tmp_path: Path) -> None:
    home = tmp_path / ("deep" * 30) / "v"
    valkey, joining = EmbeddedValkey(home), EmbeddedValkey(home)
    socket = await valkey.start()
    assert len(str(socket)) < 100
    assert await joining.start() == socket
    await joining.stop()
    await valkey.stop()
    socket.parent.rmdir()


async def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValkeyFailed, match=r"can't write to .*file/v"):
        await EmbeddedValkey(tmp_path / "file" / "v").start()


async def test_damaged_data_is_named_not_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "v" / "appendonlydir"
    folder.mkdir(parents=True)
    (folder / "appendonly.aof.manifest").write_text("nonsense\n")
    with pytest.raises(ValkeyFailed, match="manifest"):
        await EmbeddedValkey(tmp_path / "v").start()
