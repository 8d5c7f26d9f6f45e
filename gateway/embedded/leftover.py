"""Ends what a killed parent may have left: a server without a parent, a socket without a server.

Only ever called by the holder of the home's lock, so whoever still serves this home is nobody's. A
process is ended only when it is proved to be this home's server: it listens on our socket (the
kernel names it), or its command line holds both our binary and our socket.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
from contextlib import suppress
from pathlib import Path

POLITE_S = 3.0
LOOK_EVERY_S = 0.01


async def end_leftover(path: Path, pid_file: Path, binary: str) -> None:
    """Leave ``path`` free for a new server."""
    for pid in {_listener(path), _recorded(pid_file, binary, str(path))} - {None, os.getpid()}:
        if pid is not None:
            await _end(pid)
    await _ask_to_end(path)
    path.unlink(missing_ok=True)  # noqa: ASYNC240 - at start-up nothing else runs on this loop
    pid_file.unlink(missing_ok=True)  # noqa: ASYNC240


async def _ask_to_end(path: Path) -> None:
    """For platforms on which the listener can't be told by the kernel."""
    with suppress(OSError):
        async with asyncio.timeout(POLITE_S):
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(b"SHUTDOWN\r\n")
            await reader.read()
            writer.close()


def _listener(path: Path) -> int | None:
    """The process that listens on ``path``; it need not be able to answer."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)  # a full backlog would make us wait
        try:
            probe.connect(str(path))
        except OSError:
            return None
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return struct.unpack("3i", credentials)[0] or None


def _recorded(pid_file: Path, binary: str, path: str) -> int | None:
    try:
        pid = int(pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except (OSError, ValueError):
        return None
    return pid if binary in command and path in command else None


async def _end(pid: int) -> None:
    for sign, patience_s in ((signal.SIGTERM, POLITE_S), (signal.SIGKILL, POLITE_S)):
        with suppress(ProcessLookupError):
            os.kill(pid, sign)
            os.kill(pid, signal.SIGCONT)  # a stopped process would not hear it
        waited_s = 0.0
        while _alive(pid) and waited_s < patience_s:
            await asyncio.sleep(LOOK_EVERY_S)
            waited_s += LOOK_EVERY_S
        if not _alive(pid):
            return


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
