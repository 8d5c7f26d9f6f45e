"""Anchors: how far each journal reached, and from where it is kept, in the shared database."""

from __future__ import annotations

import sqlalchemy as sa
from msgspec import Struct

from governance.audit.tables import anchors


class Anchor(Struct, frozen=True, kw_only=True):
    """Where one journal stands."""

    journal: str
    number: int
    """The last line that is anchored; -1 before the first."""
    head: str
    """Its hash."""
    kept_from: int = 0
    """The first line that retention has left."""
    kept_before: str
    """What that line goes on from."""
    anchored_us: int = 0
    closed: bool = False
    """Whether the process ended in order, so that the journal has no line after the anchor."""


def put_anchor(connection: sa.Connection, anchor: Anchor) -> None:
    """Write how far a journal reached; where it is kept from stays."""
    moved = {name: getattr(anchor, name) for name in ("number", "head", "anchored_us", "closed")}
    done = connection.execute(sa.update(anchors).where(anchors.c.journal == anchor.journal).values(**moved))
    if not done.rowcount:
        kept = {"kept_from": anchor.kept_from, "kept_before": anchor.kept_before}
        connection.execute(sa.insert(anchors).values(journal=anchor.journal, **moved, **kept))


def keep_from(connection: sa.Connection, journal: str, number: int, before: str) -> None:
    """Note that lines before ``number`` are gone by retention."""
    moved = sa.update(anchors).where(anchors.c.journal == journal)
    connection.execute(moved.values(kept_from=number, kept_before=before))


def forget(connection: sa.Connection, journal: str) -> None:
    """A journal of which retention has left nothing."""
    connection.execute(sa.delete(anchors).where(anchors.c.journal == journal))


def all_anchors(connection: sa.Connection) -> dict[str, Anchor]:
    """Every journal that there should be."""
    found = connection.execute(sa.select(anchors)).mappings()
    return {row["journal"]: Anchor(**row) for row in found}
