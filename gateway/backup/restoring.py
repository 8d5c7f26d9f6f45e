"""Puts a backup into a home: checked whole before anything of the home is touched.

While it is under way a folder ``.restoring`` is in the home, and no gateway starts there: a restore that
was interrupted is done again from the beginning. What was in the home before is set aside, not deleted.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from gateway.backup.contents import REPLACED, contents, is_database
from gateway.backup.manifest import NAME, Kept, Manifest, NotABackup, read_manifest
from gateway.embedded.claim import HomeLock
from gateway.serving.home import LOCK_FILE, RESTORING

CHUNK = 1 << 20
FLOW_LOCK = "flows.lock"
MOST_MANIFEST_BYTES = 64 << 20
PRIVATE = 0o700


class NotRestored(Exception):
    """The home can't take a backup now; the message says why. Nothing was changed."""


def restore(archive: Path, home: Path, *, replace: bool, now: datetime, told: Callable[[str], None]) -> Manifest:
    """Put the backup ``archive`` into ``home``; ``told`` hears of each file.

    Raises:
        NotABackup: the archive is none, or damaged.
        NotRestored: a gateway runs on the home, or it holds state and ``replace`` is not said.
        OSError: the archive can't be read, or the home not be written.
    """
    home.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    with _alone(home):
        held = [path for path in contents(home) if not (home / RESTORING).exists()]
        if held and not replace:
            raise NotRestored(f"{home} holds a gateway's state, such as {held[0]}. Say --replace to set it aside.")
        waiting = home / RESTORING
        shutil.rmtree(waiting, ignore_errors=True)
        waiting.mkdir(mode=PRIVATE)
        try:
            manifest = _unpacked(archive, waiting, told)
        except BaseException:
            shutil.rmtree(waiting, ignore_errors=True)
            raise
        _set_aside(home, now)
        for top in sorted(waiting.iterdir()):
            top.replace(home / top.name)
        waiting.rmdir()
    return manifest


@contextmanager
def _alone(home: Path) -> Generator[None]:
    with ExitStack() as held:
        for name in (LOCK_FILE, FLOW_LOCK):  # a gateway holds the first, whoever runs flows the second
            lock = HomeLock(home / name)
            lock.open()
            held.callback(lock.close)
            if not lock.take():
                raise NotRestored(f"A gateway runs on {home}. Stop it first.")
        yield


def _unpacked(archive: Path, folder: Path, told: Callable[[str], None]) -> Manifest:
    try:
        with tarfile.open(archive, "r:gz") as members:
            first = members.next()
            content = members.extractfile(first) if first is not None and first.name == NAME else None
            if content is None:
                raise NotABackup("It has no manifest.")
            manifest = read_manifest(content.read(MOST_MANIFEST_BYTES))
            for kept in manifest.files:
                member = members.next()
                file = members.extractfile(member) if member is not None and member.name == kept.path else None
                if file is None:
                    raise NotABackup(f"It ends before {kept.path}.")
                _unpack(file, folder / kept.path, kept)
                told(kept.path)
    except (tarfile.TarError, EOFError) as error:
        raise NotABackup(f"It can't be read: {error}.") from None
    return manifest


def _unpack(file: IO[bytes], path: Path, kept: Kept) -> None:
    path.parent.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    path.touch(mode=0o600)
    with path.open("wb") as out:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            out.write(chunk)
    if digest.hexdigest() != kept.sha256:
        raise NotABackup(f"{kept.path} in it is damaged.")
    if is_database(path):
        _check(path, kept.path)


def _check(path: Path, name: str) -> None:
    try:
        with closing(sqlite3.connect(path)) as database:
            said = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        raise NotABackup(f"{name} in it is damaged: {said}.")


def _set_aside(home: Path, now: datetime) -> None:
    """Move what is in the way; locks and the log of servers stay."""
    aside = home / f"{REPLACED}{now:%Y%m%dT%H%M%SZ}"
    for top in sorted(home.iterdir()):
        stays = top.name == RESTORING or top.name.startswith(REPLACED) or top.name == "log"
        if not stays and not top.name.endswith((".lock",)):
            aside.mkdir(mode=PRIVATE, exist_ok=True)
            top.replace(aside / top.name)
