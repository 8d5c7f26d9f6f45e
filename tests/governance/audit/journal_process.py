"""A process that appends for ever and prints the number of each entry once it is on disk."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from governance.audit import MIGRATIONS, AuditEntry, Journal
from governance.call import SystemClock
from governance.database import Database


async def main(home: Path) -> None:
    database = Database(home)
    database.adopt(MIGRATIONS)
    await database.start()
    journal = Journal(home / "audit", database, SystemClock(), segment_bytes=8_192)
    await journal.start()

    async def client(numbers: count[int]) -> None:
        while True:
            number = next(numbers)
            at = datetime.now(UTC)
            await journal.append(
                AuditEntry(
                    at=at, operation="portal.v1.post_order", binding="served", outcome="ok", records=(f"{number}",)
                )
            )
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()

    numbers = count()
    await asyncio.gather(*(client(numbers) for _ in range(8)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
