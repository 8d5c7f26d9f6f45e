"""Gateways as their operators run them: ``tiergate serve`` processes on one home, in three placements.

``co-located``: one process serves all tiers. ``verify``: the same, and every local call is encoded and
decoded. ``split``: three processes on one home, one a tier, by the configuration that docs/placement.md shows.
"""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from gateway.serving.readiness import answers_ready

ROOT = Path(__file__).parents[2]
PLACEMENTS = ("co-located", "verify", "split")
TIERS = ("system", "process", "experience")
DOCUMENTED = ROOT / "docs" / "placement.md"
DOCUMENTED_PORTS = {"system": 8002, "process": 8001, "experience": 8000}
SECRET = "a secret of the journeys"
READY_WITHIN_S = 40.0
STOP_WITHIN_S = 40.0
LOOK_EVERY_S = 0.03
PORTS = range(15_000, 30_000)
"""Below what Linux gives to outgoing connections, so that no client takes a port before its server."""

T = TypeVar("T")


def eventually(what: str, look: Callable[[], T | None], within_s: float = 40) -> T:
    """What ``look`` gives once it gives something true; fails after ``within_s`` seconds, saying ``what``."""
    until = time.monotonic() + within_s
    while True:
        if found := look():
            return found
        assert time.monotonic() < until, f"not within {within_s:g} s: {what}"
        time.sleep(LOOK_EVERY_S)


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            if port not in found and probe.connect_ex(("127.0.0.1", port)):
                found.append(port)
    return found


class Process:
    """One ``tiergate serve``."""

    def __init__(self, home: Path, port: int, config: Path, variables: dict[str, str]) -> None:
        self.home = home
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._output = home.parent / f"serve-{port}.txt"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TIERGATE_")}
        self._environ = {
            **inherited,
            "PYTHONPATH": str(ROOT),
            "TIERGATE_HOME": str(home),
            "TIERGATE_PORT": str(port),
            "TIERGATE_CONFIG": str(config),
            "JOURNEY_SECRET": SECRET,
            **variables,
        }
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; ``wait_until_ready`` says when it answers."""
        with self._output.open("ab") as output:
            self._running = subprocess.Popen(
                [sys.executable, "-m", "gateway", "serve"],
                cwd=self.home.parent,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """``tiergate`` with other arguments, on the same home."""
        return subprocess.run(
            [sys.executable, "-m", "gateway", *arguments],
            cwd=self.home.parent,
            env={**self._environ, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
            timeout=150,
        )

    def wait_until_ready(self) -> None:
        """Return once it answers 200 on /readyz."""

        def look() -> bool:
            assert self._supervisor.poll() is None, f"the gateway did not start:\n{self.log()}"
            return answers_ready("127.0.0.1", self.port)

        eventually(f"{self.url} is ready", look, READY_WITHIN_S)

    def kill(self) -> None:
        """kill -9 of the supervisor; its children die with it."""
        self._supervisor.kill()
        self._supervisor.wait(STOP_WITHIN_S)
        self._running = None

    def kill_and_restart(self) -> None:
        """kill -9, and another on the same home and port."""
        self.kill()
        self.start()
        self.wait_until_ready()

    def kill_worker(self) -> None:
        """kill -9 of the process that serves; the supervisor starts another."""
        worker = self.worker()
        os.kill(worker, signal.SIGKILL)
        eventually("the worker is gone", lambda: not Path(f"/proc/{worker}").exists())

    def worker(self) -> int:
        """The process id of the worker."""

        def look() -> int | None:
            pid = self._supervisor.pid
            for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                if b"gateway.serving.worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                    return int(child)
            return None

        return eventually("there is a worker", look)

    def stop(self) -> int:
        """SIGTERM, and the exit code; a gateway that does not end in time is killed and fails."""
        process, self._running = self._running, None
        if process is None:
            return 0
        if process.poll() is None:
            process.terminate()
        try:
            return process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the gateway did not stop:\n{self.log()}") from None

    def log(self) -> str:
        """The end of what it and its workers wrote."""
        written = [self._output, self.home / "log" / "gateway.log"]
        return "\n".join(file.read_text(errors="replace")[-6_000:] for file in written if file.exists())

    @property
    def _supervisor(self) -> subprocess.Popen[bytes]:
        assert self._running is not None, "the gateway is not running"
        return self._running


class Gateway:
    """All processes of one gateway on one home."""

    def __init__(self, folder: Path, placement: str, configuration: str) -> None:
        self.placement = placement
        self.home = folder / "home"
        self._config = folder / "tiergate.toml"
        self._config.write_text(configuration)
        self._processes: dict[str, Process] = {}
        """Tier to the process that serves it."""
        if placement == "split":
            self._place_apart()
        else:
            variables = {"TIERGATE_LOCAL_BINDING": "verify"} if placement == "verify" else {}
            process = Process(self.home, free_ports(1)[0], self._config, variables)
            self._processes = dict.fromkeys(TIERS, process)
        self._guests: list[Process] = []
        self.at_the_end = ExitStack()
        """What its clients leave to be closed."""

    def url(self, tier: str = "experience") -> str:
        """Where a tier answers."""
        return self._processes[tier].url

    def process(self, tier: str) -> Process:
        """The process that serves a tier."""
        return self._processes[tier]

    @property
    def processes(self) -> tuple[Process, ...]:
        """Each process once."""
        return (*dict.fromkeys(self._processes.values()), *self._guests)

    def start(self) -> None:
        """Start every process and wait for all."""
        for process in self.processes:
            process.start()
        for process in self.processes:
            process.wait_until_ready()

    def join(self) -> Process:
        """A second gateway with all tiers on the same home, on a port of its own."""
        variables = {"TIERGATE_PUBLIC_URL": self.url()}  # one issuer and one audience for both
        guest = Process(self.home, free_ports(1)[0], self._config, variables)
        self._guests.append(guest)
        guest.start()
        guest.wait_until_ready()
        return guest

    def stop(self) -> None:
        """Stop every process, callers before callees."""
        codes = [process.stop() for process in reversed(self.processes)]
        assert codes == [0] * len(codes), f"exit codes {codes}:\n{self.log()}"

    def log(self) -> str:
        """What the processes wrote."""
        return "\n".join(process.log() for process in self.processes)

    def unexpected(self) -> list[str]:
        """Lines of the log about what should never happen."""
        file = self.home / "log" / "gateway.log"
        return (
            [line for line in file.read_text().splitlines() if "tiergate.unexpected" in line] if file.exists() else []
        )

    def _place_apart(self) -> None:
        example = re.search(r"```toml\n(.*?)```", DOCUMENTED.read_text(), re.DOTALL)
        assert example, "the documentation shows no placement"
        placement = example[1]
        for tier, port in zip(TIERS, free_ports(len(TIERS)), strict=True):
            placement = placement.replace(f"127.0.0.1:{DOCUMENTED_PORTS[tier]}", f"127.0.0.1:{port}")
            self._processes[tier] = Process(self.home, port, self._config, {"TIERGATE_TIERS": tier})
        with self._config.open("a") as file:
            file.write(f"\n{placement}")


@contextmanager
def running(folder: Path, placement: str, configuration: str) -> Iterator[Gateway]:
    """A gateway until the block ends; nothing unexpected may have happened in it."""
    gateway = Gateway(folder, placement, configuration)
    try:
        gateway.start()
        yield gateway
    except BaseException:
        print(gateway.log())
        for process in gateway.processes:
            process.stop()
        raise
    finally:
        gateway.at_the_end.close()
    gateway.stop()
    assert gateway.unexpected() == [], gateway.log()
