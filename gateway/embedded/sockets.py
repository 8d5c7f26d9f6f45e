"""Where the embedded store's socket is, and whether someone answers there."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import tempfile
from pathlib import Path

LONGEST_PATH_BYTES = 100
"""``sun_path`` holds 108 bytes on Linux and 104 on macOS."""
PING_WITHIN_S = 1.0


def socket_path(home: Path) -> Path:
    """The socket in ``home``, or, where that path is too long for a socket, in a private folder named after it.

    Raises:
        PermissionError: that folder belongs to somebody else.
    """
    path = home.absolute() / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"tiergate-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o077:
        raise PermissionError(f"{folder} must be a folder that only you can open; remove it or choose a shorter home")
    return folder / "valkey.sock"


async def answers(path: Path) -> bool:
    """Whether a store at ``path`` answers PING now; one that still loads its data does not."""
    try:
        async with asyncio.timeout(PING_WITHIN_S):
            reader, writer = await asyncio.open_unix_connection(str(path))
            try:
                writer.write(b"PING\r\n")
                return await reader.readline() == b"+PONG\r\n"
            finally:
                writer.close()
    except OSError:
        return False
