"""``tiergate serve`` as a real process, observed from outside."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
BOUND_S = 40.0


class Gateway:
    """One ``tiergate serve`` process on a free port."""

    def __init__(self, home: Path, *options: str, app: str = "probe_app:Probe", port: int = 0) -> None:
        self.home = home
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(HERE)))}
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", "from gateway.cli import main; main()", "serve", "--home", str(home),
             "--port", str(port), "--app", app, *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ, cwd=home.parent,
        )  # fmt: skip
        self.url = ""
        self.banner: list[str] = []

    def ready(self) -> Gateway:
        """Wait for the whole banner and note the address."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.banner.append(line)
            if found := re.search(r"serves .* at (http://\S+)", line):
                self.url = found[1]
            if "Ctrl-C stops it." in line:
                return self
        raise AssertionError(f"it ended: {self.process.communicate()[1]}")

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def get(self, path: str = "/pid") -> str:
        with urlopen(f"{self.url}{path}", timeout=BOUND_S) as answer:
            return str(answer.read().decode())

    def store(self) -> int:
        """The process id of the home's embedded store; 0 while there is none."""
        try:
            return int((self.home / "valkey.pid").read_text() or 0)
        except FileNotFoundError:  # none yet, or none any more
            return 0

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        """Signal it and wait for its end; the exit code."""
        self.process.send_signal(with_signal)
        return self.ended()

    def ended(self) -> int:
        """Wait for its end; the exit code."""
        return self.process.wait(BOUND_S)

    def said(self) -> str:
        """Wait for its end; what it wrote to stderr."""
        return self.process.communicate(timeout=BOUND_S)[1]

    def log(self) -> str:
        """What the processes have logged so far."""
        file = self.home / "log" / "gateway.log"
        return file.read_text() if file.exists() else ""

    def journal(self) -> list[str]:
        file = self.home / "journal"
        return file.read_text().splitlines() if file.exists() else []


def eventually(holds: Callable[[], bool], bound_s: float = BOUND_S) -> None:
    """Wait until ``holds`` is true; fails after ``bound_s`` seconds."""
    until = time.monotonic() + bound_s
    while not holds():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.01)


def promptly(holds: Callable[[], bool], bound_s: float) -> None:
    """Wait until ``holds`` is true; fails after ``bound_s`` seconds, of which a crowded machine gives its share only."""
    left_s, last = bound_s, time.monotonic()
    until = last + BOUND_S
    while not holds():
        now = time.monotonic()
        left_s -= (now - last) * share()
        last = now
        assert left_s > 0, "it took too long"
        assert now < until, "it did not come true in time"
        time.sleep(0.01)


def share() -> float:
    """How much of a processor each gets of those who want to run on this machine now, at most all of it."""
    said = re.search(r"^procs_running (\d+)", Path("/proc/stat").read_text(), re.MULTILINE)
    return min(1.0, (os.cpu_count() or 1) / max(1, int(said[1]))) if said else 1.0


def running(command: str) -> list[int]:
    """Process ids whose command line holds ``command``; ended ones don't count."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if command in (entry / "cmdline").read_bytes().decode(errors="replace").replace("\0", " "):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found
