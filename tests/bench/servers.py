"""The servers under load: gateways and Envoys as child processes on one core, the store on the other."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import psutil

HERE = Path(__file__).parent
SERVER_CORE, OTHER_CORE = 0, -1
READY_WITHIN_S = 60.0


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A child process with everything it started."""

    def __init__(
        self,
        command: list[str],
        ready_url: str,
        environ: Mapping[str, str],
        log: Path,
        core: int | None = SERVER_CORE,
    ) -> None:
        with log.open("ab") as out:
            self._process = subprocess.Popen(command, env={**os.environ, **environ}, stdout=out, stderr=out)
        self._log = log
        self._wait(ready_url)
        if core is None:
            for process in self._family():
                process.cpu_affinity([])
        else:
            self._pin(core)

    def _wait(self, url: str) -> None:
        until = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with urllib.request.urlopen(url, timeout=1):
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"{url} did not answer:\n{self._log.read_text()[-4000:]}")

    def _family(self) -> list[psutil.Process]:
        root = psutil.Process(self._process.pid)
        return [root, *root.children(recursive=True)]

    def _pin(self, own: int) -> None:
        cores = sorted(range(os.cpu_count() or 1))
        for process in self._family():
            core = cores[OTHER_CORE] if _is_store(process) else cores[own]
            process.cpu_affinity([core])

    def cpu_s(self, *, store: bool = False) -> float:
        """CPU seconds so far of the store, or of everything else."""
        times = [process.cpu_times() for process in self._family() if _is_store(process) == store]
        return sum(one.user + one.system for one in times)

    def stop(self) -> None:
        """End it and wait for it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def _is_store(process: psutil.Process) -> bool:
    return "valkey" in process.name()


def gateway(
    home: Path,
    port: int,
    environ: Mapping[str, str],
    config: Path,
    *,
    tiers: str = "",
    app: str = "",
    bare: bool = False,
) -> Server:
    """``tiergate serve`` with the benchmark's own APIs beside the product's; ``bare``: without, and on every core."""
    command = [str(Path(sys.executable).with_name("tiergate")), "serve", "--port", str(port)]
    command += [*(["--tiers", tiers] if tiers else []), *(["--app", app] if app else [])]
    world = os.pathsep.join((str(HERE / "world"), str(HERE.parents[1]), str(HERE)))
    own = {"PYTHONPATH": world, "TIERGATE_HOME": str(home), "TIERGATE_CONFIG": str(config), **environ}
    if bare:
        own["PYTHONPATH"] = str(HERE.parents[1])
    return Server(
        command, f"http://127.0.0.1:{port}/readyz", own, home.with_suffix(".log"), None if bare else SERVER_CORE
    )
