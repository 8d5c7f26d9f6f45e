"""The chain: each line of a journal holds the hash of the line before it, so none can be changed, dropped or moved.

A journal is the lines of one process, in segments: files ``<number of the first line>.jsonl``. A segment opens
with a header that repeats the hash it goes on from. The hash is SHA-256 over the bytes of a line without its
line end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from governance.audit.entry import AuditEntry

ORIGIN = "0" * 64
"""What the first line of a journal goes on from."""


class Header(Struct, frozen=True, kw_only=True, tag="segment"):
    """The first line of a segment."""

    number: int
    before: str
    journal: str
    opened_at: datetime


class Line(Struct, frozen=True, kw_only=True, tag="entry"):
    """An entry in its place."""

    number: int
    before: str
    entry: AuditEntry


encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Header | Line] = msgspec.json.Decoder(Header | Line)


class Broken(Exception):
    """A segment is not what was written. The message says where, for people."""


def digest(line: bytes) -> str:
    """The hash that the next line holds."""
    return hashlib.sha256(line).hexdigest()


def segment_path(folder: Path, journal: str, number: int) -> Path:
    """Where the segment that begins with line ``number`` lies."""
    return folder / journal / f"{number:012d}.jsonl"


def segments(folder: Path, journal: str) -> list[Path]:
    """The segments of a journal that are there, in order."""
    return sorted((folder / journal).glob("[0-9]*.jsonl"))


def journals(folder: Path) -> list[str]:
    """The journals that have a folder."""
    return sorted(place.name for place in folder.iterdir() if place.is_dir()) if folder.is_dir() else []


def whole_lines(path: Path) -> tuple[list[bytes], bytes]:
    """The lines of a segment, and what stands after the last line end: the torn line of a crash."""
    *lines, rest = path.read_bytes().split(b"\n")
    return lines, rest


def decoded(line: bytes, where: str) -> Header | Line:
    """One line.

    Raises:
        Broken: it is none.
    """
    try:
        return _decoder.decode(line)
    except msgspec.MsgspecError as error:
        raise Broken(f"{where}: this is no line of a journal") from error


def entries(folder: Path, journal: str) -> Iterator[Line]:
    """Every entry of a journal, in order; what is torn or broken is left out (``verify`` tells of it)."""
    for path in segments(folder, journal):
        for line in whole_lines(path)[0]:
            try:
                found = decoded(line, path.name)
            except Broken:
                continue
            if isinstance(found, Line):
                yield found
