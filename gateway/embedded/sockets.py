"""Where the embedded store's socket is, and whether someone answers there."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import stat
import tempfile
from pathlib import Path

LONGEST_PATH_BYTES = 100
"""``sun_path`` holds 108 bytes on Linux and 104 on macOS."""
PING_WITHIN_S = 1.0


def socket_path(home: Path) -> Path:
    """The socket in ``home``, or, where that path is too long for a socket, in a folder named after it."""
    path = home.absolute() / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tiergate-{os.getuid()}-{digest}" / "valkey.sock"


def make_private(folder: Path) -> None:
    """Make ``folder`` unless it is there, for this user alone.

    Raises:
        OSError: it can't be made, or it belongs to or is open to somebody else.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
        raise PermissionError(errno.EPERM, "it belongs to somebody else", str(folder))
    if found.st_mode & 0o077:
        folder.chmod(0o700)


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
