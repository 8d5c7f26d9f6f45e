"""Takes a backup while the gateway serves: each file whole, the archive there whole or not at all.

Databases are copied by SQLite's own online backup, which sees one moment and waits for nobody. The
archive is readable by its owner only, because the signing keys are in it.
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
    for one in kept:
        told(one.path)
    for path in contents(home):
        if path.parts[0] != STORE:
            with suppress(FileNotFoundError):  # retention removed it meanwhile
                kept.append(_copy(home, folder, path))
                told(kept[-1].path)
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
    source, copy = home / path, folder / path
    copy.parent.mkdir(parents=True, exist_ok=True)
    if is_database(path):
        _copy_database(source, copy)
    else:
        shutil.copyfile(source, copy)
    with copy.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Kept(path=path.as_posix(), size=copy.stat().st_size, sha256=digest)


def _copy_database(source: Path, copy: Path) -> None:
    uri = f"{source.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as original, closing(sqlite3.connect(copy)) as target:
        original.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it


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
