"""The processes of a run: real ``tiergate serve`` processes on one home, killed, stopped and started again.

A gateway that ended is started again at once, as an init system would; none of them outlives the
process that started the fleet.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from gateway.embedded.valkey import DIE_WITH_PARENT
from gateway.serving.readiness import answers_ready

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 45.0
LOOK_S = 0.05
RESTART_PAUSE_S = 0.1
PORTS = range(15_000, 30_000)
"""Below what Linux gives to outgoing connections, so that no client takes a port before its server."""


class FleetFailed(Exception):
    """A gateway does not come up, or does not end; the message says which and shows the end of its log."""


class Member:
    """One ``tiergate serve``, for as long as the run takes."""

    def __init__(self, home: Path, port: int, environ: Mapping[str, str]) -> None:
        self.home = home
        self.port = port
        self.restarts = 0
        self._was_ready = False
        self._environ = environ
        self._output = home.parent / f"serve-{port}.txt"
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it, and again whenever it ends."""
        await self._spawn()
        self._keeping = asyncio.create_task(self._keep())

    async def until_ready(self) -> None:
        """Return once it answers 200 on /readyz.

        Raises:
            FleetFailed: it did not within ``READY_WITHIN_S`` seconds.
        """
        until = time.monotonic() + READY_WITHIN_S
        while not await asyncio.to_thread(answers_ready, "127.0.0.1", self.port):
            if time.monotonic() > until or (self.restarts and not self._was_ready):
                raise FleetFailed(f"The gateway on port {self.port} is not ready:\n{self.log()}")
            await asyncio.sleep(LOOK_S)
        self._was_ready = True

    @property
    def pid(self) -> int | None:
        """The supervisor's process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    @property
    def worker(self) -> int | None:
        """The process id of the worker, where there is one now."""
        if (pid := self.pid) is None:
            return None
        with suppress(OSError):
            for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                if b"gateway.serving.worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                    return int(child)
        return None

    def kill(self) -> list[int]:
        """Kill -9 of the supervisor, with which its worker dies; whom it hit."""
        hit = [pid for pid in (self.pid, self.worker) if pid is not None]
        return [pid for pid in hit[:1] if _signalled(pid, signal.SIGKILL)] + hit[1:]

    def kill_worker(self) -> list[int]:
        """Kill -9 of the worker; whom it hit."""
        worker = self.worker
        return [worker] if worker is not None and _signalled(worker, signal.SIGKILL) else []

    async def hold(self, seconds: float) -> None:
        """SIGSTOP of supervisor and worker, and SIGCONT after ``seconds``."""
        held = [pid for pid in (self.pid, self.worker) if pid is not None and _signalled(pid, signal.SIGSTOP)]
        try:
            await asyncio.sleep(seconds)
        finally:
            for pid in held:
                _signalled(pid, signal.SIGCONT)

    async def stop(self) -> int:
        """SIGTERM; the exit code.

        Raises:
            FleetFailed: it did not end within ``STOP_WITHIN_S`` seconds, and was killed.
        """
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        process = self._process
        if process is None:
            return 0
        if process.returncode is None:
            _signalled(process.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                return await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise FleetFailed(f"The gateway on port {self.port} did not stop:\n{self.log()}") from None

    async def end(self) -> None:
        """Kill it for good, if it still runs."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def log(self) -> str:
        """The end of what it wrote itself."""
        return self._output.read_text(errors="replace")[-4_000:] if self._output.exists() else ""

    async def _spawn(self) -> None:
        shim = [sys.executable, "-I", "-S", "-c", DIE_WITH_PARENT, str(os.getpid())]
        with self._output.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *shim, sys.executable, "-m", "gateway", "serve",
                cwd=self.home.parent,
                env=dict(self._environ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )  # fmt: skip

    async def _keep(self) -> None:
        while self._process is not None:
            await self._process.wait()
            await asyncio.sleep(RESTART_PAUSE_S)
            self.restarts += 1
            await self._spawn()


class Fleet:
    """All gateways of a run on one home."""

    def __init__(self, home: Path, config: Path, processes: int, variables: Mapping[str, str]) -> None:
        self.home = home
        ports = free_ports(processes)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TIERGATE_")}
        paths = (str(Path(__file__).parents[2]), str(Path.cwd()), os.environ.get("PYTHONPATH"))
        environ = {
            **inherited,
            **variables,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "TIERGATE_HOME": str(home),
            "TIERGATE_CONFIG": str(config),
            "TIERGATE_PUBLIC_URL": f"http://127.0.0.1:{ports[0]}",
        }
        self.members = [Member(home, port, {**environ, "TIERGATE_PORT": str(port)}) for port in ports]

    async def start(self) -> None:
        """Start the first, which makes what all share, then the others."""
        first, *others = self.members
        await first.start()
        await first.until_ready()
        for member in others:
            await member.start()
        await self.until_ready()

    async def until_ready(self, missing: int = 0) -> None:
        """Return once every one answers, but for ``missing``.

        Raises:
            FleetFailed: one did not within ``READY_WITHIN_S`` seconds.
        """
        waiting = [asyncio.create_task(member.until_ready()) for member in self.members]
        try:
            for number, ready in enumerate(asyncio.as_completed(waiting), 1):
                await ready
                if number >= len(self.members) - missing:
                    return
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def stop(self) -> list[int]:
        """Stop every one; their exit codes."""
        return [await member.stop() for member in reversed(self.members)]

    async def end(self) -> None:
        """Kill whatever of it still runs, after a run that broke off."""
        for member in self.members:
            await member.end()

    def kill_store(self) -> list[int]:
        """Kill -9 of the embedded store; whom it hit."""
        try:
            pid = int((self.home / "valkey.pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):  # it is being started
            return []
        ours = os.fsencode(str(self.home)) in command
        return [pid] if ours and _signalled(pid, signal.SIGKILL) else []

    def unexpected(self) -> list[str]:
        """Lines of the log about what should never happen."""
        file = self.home / "log" / "gateway.log"
        lines = file.read_text(errors="replace").splitlines() if file.exists() else []
        return [line for line in lines if "tiergate.unexpected" in line]


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on."""
    found: list[int] = []
    while len(found) < count:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            if port not in found and probe.connect_ex(("127.0.0.1", port)):
                found.append(port)
    return found


def _signalled(pid: int, signum: signal.Signals) -> bool:
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        return False
    return True
