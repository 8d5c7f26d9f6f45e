"""Retention: segments whose last entry is older than what is to be kept are removed; the rest verifies as before.

Where a journal now begins is written to its anchor first, in one transaction, so a crash in between leaves at
most a segment that the next run removes. Only segments that a later one follows, or of a closed journal, go.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

from governance.audit.anchors import Anchor, all_anchors, forget, keep_from
from governance.audit.chain import Broken, Header, Line, decoded, digest, segments, whole_lines
from governance.database import Database


def remove_older(folder: Path, database: Database, before: datetime) -> int:
    """Remove what ended before ``before``; the number of segments. Runs on a thread of its own.

    Raises:
        DatabaseAway: nothing more can be removed now.
    """
    removed = 0
    for anchor in database.read_here(all_anchors).values():
        removed += _remove_of(folder, database, anchor, before)
    return removed


def _remove_of(folder: Path, database: Database, anchor: Anchor, before: datetime) -> int:
    paths = segments(folder, anchor.journal)
    old = _old(paths, before, closed=anchor.closed)
    for path in old:
        lines = whole_lines(path)[0]
        number, head = int(path.stem) + len(lines), digest(lines[-1])
        database.write_here(partial(keep_from, journal=anchor.journal, number=number, before=head))
        path.unlink(missing_ok=True)
    if anchor.closed and len(old) == len(paths):
        database.write_here(lambda connection: forget(connection, anchor.journal))
        (folder / anchor.journal).rmdir()
    return len(old)


def _old(paths: list[Path], before: datetime, *, closed: bool) -> list[Path]:
    """The first segments, as far as they are old and done with."""
    found: list[Path] = []
    for path in paths if closed else paths[:-1]:
        ended = _ended(path)
        if ended is None or ended >= before:
            break
        found.append(path)
    return found


def _ended(path: Path) -> datetime | None:
    """When the last line of a segment was written; None where it can't be told, so that it is kept."""
    lines = whole_lines(path)[0]
    try:
        last: Header | Line = decoded(lines[-1], path.name)
    except (Broken, IndexError):
        return None
    return last.entry.at if isinstance(last, Line) else last.opened_at
