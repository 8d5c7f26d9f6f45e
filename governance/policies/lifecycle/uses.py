"""Who still uses what is going away: counted per operation and client, in the store that all processes share.

A use is counted in memory and written every two seconds and at the end, so it costs a call nothing; a
process that is killed loses the uses of its last two seconds. While the store is away they are kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime

from msgspec import Struct

from governance.call import Clock
from governance.store import Store, StoreError

WRITE_EVERY_S = 2.0
logger = logging.getLogger("tiergate.lifecycle")


class DeprecatedUse(Struct, frozen=True, kw_only=True):
    """How often a client called one operation since it was deprecated, and when last."""

    operation_id: str
    client_id: str
    count: int
    last_used: datetime


class Uses:
    """The uses of deprecated and retired operations."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._counts: Counter[tuple[str, str]] = Counter()
        self._last: dict[tuple[str, str], int] = {}
        self._writing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to write uses down."""
        self._writing = asyncio.create_task(self._write_for_ever(), name="uses of deprecated operations")

    async def stop(self) -> None:
        """Write what is left."""
        if self._writing is not None:
            self._writing.cancel()
            with suppress(asyncio.CancelledError):
                await self._writing
            self._writing = None
        await self.write()

    def note(self, operation_id: str, client_id: str) -> None:
        """Count one use."""
        use = (operation_id, client_id)
        self._counts[use] += 1
        self._last[use] = int(self._clock.now().timestamp())

    async def write(self) -> None:
        """Add what was counted here to what the store has."""
        counts, self._counts = self._counts, Counter()
        for use, count in counts.items():
            operation_id, client_id = use
            try:
                await self._store.command(b"HINCRBY", _key(operation_id), f"count {client_id}", count)
            except StoreError as failure:
                self._counts[use] += count
                logger.warning("uses of %s are kept for later: %s", operation_id, failure)
                continue
            with suppress(StoreError):
                await self._store.command(b"HSET", _key(operation_id), f"last {client_id}", self._last[use])

    async def of(self, operation_id: str) -> tuple[DeprecatedUse, ...]:
        """Every client that used the operation, the busiest first.

        Raises:
            StoreError: the store does not answer.
        """
        await self.write()
        reply: list[bytes] = await self._store.command(b"HGETALL", _key(operation_id))
        parts = [part.decode() for part in reply]
        fields = dict(zip(parts[::2], parts[1::2], strict=True))
        uses = [
            DeprecatedUse(
                operation_id=operation_id,
                client_id=name.removeprefix("count "),
                count=int(value),
                last_used=datetime.fromtimestamp(int(fields.get(f"last {name.removeprefix('count ')}", "0")), UTC),
            )
            for name, value in fields.items()
            if name.startswith("count ")
        ]
        return tuple(sorted(uses, key=lambda use: (-use.count, use.client_id)))

    async def _write_for_ever(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            if self._counts:
                await self.write()


def _key(operation_id: str) -> str:
    return f"deprecated:{operation_id}"
