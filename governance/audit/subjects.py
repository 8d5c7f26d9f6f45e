"""References in place of people: random, so that nothing leads back once the table row is gone.

The subject of a token is written to the database with a reference of its own when it is first seen.
``erase`` removes that row: the entries stay, and say what "somebody" did. Whoever acts more than a minute after
that gets another reference.
"""

from __future__ import annotations

from secrets import token_hex

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from governance.audit.tables import subjects
from governance.call import Clock
from governance.database import Database

REMEMBERED = 10_000
REMEMBERED_S = 60.0


class Subjects:
    """The references of one gateway."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[str, tuple[str, float]] = {}

    def known(self, subject: str) -> str | None:
        """The reference, where this process met the subject within the last minute."""
        reference, until = self._known.get(subject, (None, 0.0))
        return reference if self._clock.monotonic() < until else None

    async def reference(self, subject: str) -> str:
        """The reference of ``subject``, made where it has none.

        Raises:
            DatabaseAway: it can't be looked up now.
        """
        reference = await self._database.read(lambda connection: reference_of(connection, subject))
        if reference is None:
            reference = await self._database.write(lambda connection: _made(connection, subject))
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[subject] = (reference, self._clock.monotonic() + REMEMBERED_S)
        return reference


def reference_of(connection: sa.Connection, subject: str) -> str | None:
    """What stands for ``subject`` in entries; None where nothing does, or no more."""
    found = sa.select(subjects.c.reference).where(subjects.c.subject == subject)
    return connection.execute(found).scalar()


def names(connection: sa.Connection) -> dict[str, str]:
    """Every reference that still leads to a subject."""
    return {row.reference: row.subject for row in connection.execute(sa.select(subjects))}


def erase(connection: sa.Connection, subject: str) -> bool:
    """Cut the reference off its subject for good; False where there was none."""
    return bool(connection.execute(sa.delete(subjects).where(subjects.c.subject == subject)).rowcount)


def _made(connection: sa.Connection, subject: str) -> str:
    made = f"sub-{token_hex(12)}"
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(subjects).values(subject=subject, reference=made))
    except IntegrityError:  # another process was first
        return reference_of(connection, subject) or made
    return made
