"""The home folder: whose it is, who can read it, whether a gateway is in it, and whether it has room."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from gateway.checking.finding import Finding
from gateway.serving.home import LOCK_FILE

OTHERS = 0o077
LEAST_BYTES = 100_000_000
FEW_BYTES = 1_000_000_000
LOCKS = Path("/proc/locks")


def examine_home(home: Path) -> Iterator[Finding]:
    """What stands there, or whether it can be made."""
    if not home.exists():
        yield _to_be_made(home)
    elif not home.is_dir():
        yield _failed(f"{home} is not a folder.", "Set TIERGATE_HOME to one that can hold the state.")
        return
    elif not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        yield _failed(f"{home} can't be written by this user.", "Give it to the user that runs the gateway.")
    elif home.stat().st_mode & OTHERS:
        yield Finding(
            what="home",
            result="warning",
            detail=f"Other users of this machine can look into {home}.",
            advice=f"chmod 700 {home}",
        )
    else:
        joined = "; a gateway runs in it, and another joins that one" if is_locked(home / LOCK_FILE) else ""
        yield Finding(what="home", result="ok", detail=f"{home}{joined}")
    yield from _keys(home / "keys")
    yield _room(home)


def is_locked(file: Path) -> bool:
    """Whether some process holds a lock on ``file``, found without taking it; False where that can't be told."""
    try:
        inode = file.stat().st_ino
        return any(f":{inode} " in line for line in LOCKS.read_text().splitlines() if "FLOCK" in line)
    except OSError:
        return False


def _to_be_made(home: Path) -> Finding:
    above = _nearest(home)
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return Finding(what="home", result="ok", detail=f"{home} is made at the first start")
    return _failed(f"{home} can't be made in {above}.", "Make it for this user, or set TIERGATE_HOME to another.")


def _keys(folder: Path) -> Iterator[Finding]:
    if not os.access(folder, os.R_OK | os.X_OK):
        return
    for file in sorted(folder.glob("*.json")):
        if file.stat().st_mode & OTHERS:
            yield _failed(f"The key file {file} can be read by others.", f"chmod 600 {file}, or delete it.")


def _room(home: Path) -> Finding:
    free = shutil.disk_usage(_nearest(home)).free
    detail = f"{free / 1e9:.1f} GB free for {home}"
    if free >= FEW_BYTES:
        return Finding(what="disk", result="ok", detail=detail)
    advice = "Make room: orders and limits are not kept on a full disk."
    return Finding(what="disk", result="failed" if free < LEAST_BYTES else "warning", detail=detail, advice=advice)


def _nearest(path: Path) -> Path:
    return path if path.exists() or path == path.parent else _nearest(path.parent)


def _failed(detail: str, advice: str) -> Finding:
    return Finding(what="home", result="failed", detail=detail, advice=advice)
