"""How far each source was read into the log, kept in the transaction of what was read."""

from __future__ import annotations

import sqlalchemy as sa

from governance.database import dialect_of, for_each_dialect
from process_apis.events.tables import event_sources

SOURCE = event_sources.c.source == sa.bindparam("of")
POSITION = sa.select(event_sources.c.position).where(SOURCE)
FIRST = for_each_dialect(lambda insert: insert(event_sources).on_conflict_do_nothing())
ADVANCE = sa.update(event_sources).where(SOURCE, event_sources.c.position == sa.bindparam("before"))


def position_of(connection: sa.Connection, source: str) -> int:
    """Up to where a source was read; 0 before the first look."""
    return int(connection.execute(POSITION, {"of": source}).scalar() or 0)


def advance(connection: sa.Connection, source: str, before: int, after: int) -> bool:
    """Take a source from ``before`` to ``after``; False when another process was quicker."""
    connection.execute(FIRST[dialect_of(connection)], {"source": source, "position": 0})
    return connection.execute(ADVANCE, {"of": source, "before": before, "position": after}).rowcount > 0
