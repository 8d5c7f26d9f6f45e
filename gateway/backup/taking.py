"""Takes a backup while the gateway serves: each file whole, the archive there whole or not at all.

Databases are copied by SQLite's own online backup, all as of one moment. The archive is readable by its
owner only, because the signing keys are in it.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

import msgspec

from gateway.backup.contents import STORE, contents, is_database
from gateway.backup.manifest import FORMAT, NAME, Kept, Manifest
from gateway.backup.moment import one_moment

STORE_TRIES = 5
"""The store rewrites its files now and then; a copy that met that is taken again."""


def take(
    home: Path, target: Path, *, version: str, database: str, now: datetime, told: Callable[[str], None]
) -> Manifest:
    """Write a backup of ``home`` to ``target``; ``told`` hears of each file.

    Raises:
        OSError: the home can't be read, or the target not be written.
        sqlite3.Error: a database is damaged.
    """
    partial = target.with_name(f"{target.name}.partial")
    with tempfile.TemporaryDirectory(prefix=".tiergate-backup-", dir=target.parent) as folder:
        kept = _copied(home, Path(folder), told)
        manifest = Manifest(format=FORMAT, version=version, taken_at=now, database=database, files=kept)
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                _write(out, Path(folder), manifest)
                out.flush()
                os.fsync(out.fileno())
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    return manifest


def _copied(home: Path, folder: Path, told: Callable[[str], None]) -> tuple[Kept, ...]:
    kept = _store(home, folder)
    databases = [path for path in contents(home) if is_database(path)]
    with one_moment(home / path for path in databases) as readers:
        kept += [_copy_database(readers[home / path], folder, path) for path in databases]
    for path in contents(home):
        if path.parts[0] != STORE and not is_database(path):
            with suppress(FileNotFoundError):  # retention removed it meanwhile
                kept.append(_copy(home, folder, path))
    for one in kept:
        told(one.path)
    return tuple(kept)


def _store(home: Path, folder: Path) -> list[Kept]:
    for _ in range(STORE_TRIES - 1):
        with suppress(FileNotFoundError):
            return _store_once(home, folder)
    return _store_once(home, folder)


def _store_once(home: Path, folder: Path) -> list[Kept]:
    shutil.rmtree(folder / STORE, ignore_errors=True)
    return [_copy(home, folder, path) for path in contents(home) if path.parts[0] == STORE]


def _copy(home: Path, folder: Path, path: Path) -> Kept:
    copy = _place(folder, path)
    shutil.copyfile(home / path, copy)
    return _kept(copy, path)


def _copy_database(reader: sqlite3.Connection, folder: Path, path: Path) -> Kept:
    copy = _place(folder, path)
    with closing(sqlite3.connect(copy)) as target:
        reader.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
    return _kept(copy, path)


def _place(folder: Path, path: Path) -> Path:
    copy = folder / path
    copy.parent.mkdir(parents=True, exist_ok=True)
    return copy


def _kept(copy: Path, path: Path) -> Kept:
    with copy.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Kept(path=path.as_posix(), size=copy.stat().st_size, sha256=digest)


def _write(out: io.BufferedIOBase, folder: Path, manifest: Manifest) -> None:
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=6) as archive:
        content = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        archive.addfile(_member(NAME, len(content), manifest.taken_at), io.BytesIO(content))
        for kept in manifest.files:
            with (folder / kept.path).open("rb") as file:
                archive.addfile(_member(kept.path, kept.size, manifest.taken_at), file)


def _member(name: str, size: int, at: datetime) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, int(at.timestamp()), 0o600
    return member
