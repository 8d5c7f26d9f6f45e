"""The first member of a backup: what is in it, and the digest of each file."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath

import msgspec
from msgspec import Struct

NAME = "manifest.json"
FORMAT = 1


class NotABackup(Exception):
    """A file that is no backup, or not whole; the message says why."""


class Kept(Struct, frozen=True, kw_only=True):
    """One file."""

    path: str
    """Relative to the home, with slashes."""
    size: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True):
    """What a backup holds."""

    format: int
    version: str
    """The version of Tiergate that took it."""
    taken_at: datetime
    database: str
    """``sqlite``: flows, events and grants are inside; ``postgresql``: they are in a database that is backed up by its
    own tools."""
    files: tuple[Kept, ...]


def read_manifest(content: bytes) -> Manifest:
    """The manifest of a backup.

    Raises:
        NotABackup: it is none, of a later format, or names a path outside the home.
    """
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:
        raise NotABackup(f"Its manifest can't be read: {error}.") from None
    if manifest.format > FORMAT:
        raise NotABackup(f"It was taken by Tiergate {manifest.version}, which is later than this one.")
    for kept in manifest.files:
        path = PurePosixPath(kept.path)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise NotABackup(f"It names {kept.path!r}, which is outside of a home.")
    return manifest
