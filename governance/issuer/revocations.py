"""What was revoked, known in every process: at once where it happened, within ``LOOK_S`` elsewhere.

Access tokens are checked without a look at the database: each process holds the ids of what was
revoked and has not expired, and reads what was added once a second. While the database is away
nothing can be revoked, and what is known to be revoked stays refused; a process that alone is cut
off from it learns of revocations when it is back. A signing key that is withdrawn counts in the same
way: tokens that it signed are verified anew, and fail.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from governance.database import DatabaseAway
from governance.issuer.grants import LATE_S, Grants
from governance.issuer.key_ring import KeyRing

LOOK_S = 1.0
log = logging.getLogger("tiergate.issuer")


class Revocations:
    """The ids of revoked grants and tokens; ``changed`` are called when some were added."""

    def __init__(self, grants: Grants, keys: KeyRing, *, look_s: float = LOOK_S) -> None:
        self._grants = grants
        self._keys = keys
        self._kids = frozenset(key.kid for key in keys.published())
        self._look_s = look_s
        self._until_us: dict[str, int] = {}
        self._since_us = 0
        self._untold = False
        self._looking: asyncio.Task[None] | None = None
        self._away = False
        self.changed: list[Callable[[], None]] = []
        grants.revokes(self.note)

    async def start(self) -> None:
        """Read what was revoked before, and go on reading.

        Raises:
            DatabaseAway: it can't be known what was revoked, so nothing is served.
        """
        await self.look()
        self._looking = asyncio.create_task(self._look_on())

    async def stop(self) -> None:
        """Read no more."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking

    def revokes(self, claims: Mapping[str, Any]) -> bool:
        """Whether the token of these verified claims, or what it was made from, was revoked."""
        if not self._until_us:
            return False
        return any(one in self._until_us for one in (claims.get("jti"), *claims.get("revoked_with", ())))

    def note(self, added: Mapping[str, int]) -> None:
        """Hold what was revoked, id to until when in microseconds; from any thread, for ``tell`` to spread."""
        if added.keys() - self._until_us.keys():
            self._until_us = {**self._until_us, **added}
            self._untold = True

    def tell(self) -> None:
        """Have what was noted take effect on tokens that were verified before; on the event loop."""
        if self._untold:
            self._untold = False
            for forget in self.changed:
                forget()

    async def look(self) -> None:
        """Read what was added since the last look.

        Raises:
            DatabaseAway: it can't be read now.
        """
        self._look_at_keys()
        now = self._grants.now_us()
        # rows become visible in another order than their times, and clocks of machines differ: look back further
        found = await asyncio.to_thread(self._grants.revoked_since, self._since_us)
        self._since_us = now - LATE_S * 1_000_000
        self._until_us = {one: until for one, until in self._until_us.items() if until > now}
        self.note(found)
        self.tell()

    def _look_at_keys(self) -> None:
        """Have tokens verified anew when a key was withdrawn: it may be in wrong hands."""
        kids = frozenset(key.kid for key in self._keys.published())
        if self._kids - kids:
            self._untold = True
            self.tell()
        self._kids = kids

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(self._look_s)
            try:
                await self.look()
                self._away = False
            except DatabaseAway:
                if not self._away:
                    log.warning("revocations can't be read while the database is away")
                self._away = True
