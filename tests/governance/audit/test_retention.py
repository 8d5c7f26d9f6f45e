"""What is too old goes; what is left verifies as before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from governance.audit import AuditEntry, Filter, Journal, Verdict, all_anchors, remove_older, search
from governance.call import ManualClock
from governance.database import Database

pytestmark = pytest.mark.anyio


async def anchored(database: Database, journal: Journal, number: int) -> None:
    """Until the journal is anchored up to this line."""
    async with asyncio.timeout(30):
        while (anchors := database.read_here(all_anchors)).get(journal.name) is None or (
            anchors[journal.name].number < number
        ):
            await asyncio.sleep(0.001)


async def test_old_segments_go_and_the_rest_stays_whole(
    folder: Path, database: Database, entry: Callable[..., AuditEntry], verdicts: Callable[[], list[Verdict]]
) -> None:
    clock = ManualClock()
    journal = Journal(folder, database, clock)
    await journal.start()
    for day in range(4):
        await journal.append(entry(f"SO-{day}", at=clock.now()))
        clock.advance(86_400)
    two_days_ago = clock.now() - timedelta(days=2)
    await anchored(database, journal, 5)
    assert remove_older(folder, database, two_days_ago) == 2
    assert [one.records for one in search(folder, Filter())] == [("SO-2",), ("SO-3",)]
    await journal.append(entry("SO-4", at=clock.now()))
    assert [verdict.fault for verdict in verdicts()] == [""]

    await anchored(database, journal, 7)
    assert remove_older(folder, database, clock.now() + timedelta(days=1)) == 2  # not the one being written
    await journal.stop()
    assert [verdict.fault for verdict in verdicts()] == [""]
    assert remove_older(folder, database, clock.now() + timedelta(days=1)) == 1
    assert (verdicts(), database.read_here(all_anchors), list(folder.iterdir())) == ([], {}, [])


async def test_a_segment_that_somebody_else_removed_is_still_missed(
    folder: Path, database: Database, entry: Callable[..., AuditEntry], verdicts: Callable[[], list[Verdict]]
) -> None:
    clock = ManualClock()
    journal = Journal(folder, database, clock)
    await journal.start()
    for day in range(3):
        await journal.append(entry(f"SO-{day}", at=clock.now()))
        clock.advance(86_400)
    await anchored(database, journal, 3)
    assert remove_older(folder, database, clock.now() - timedelta(days=2)) == 1
    sorted((folder / journal.name).iterdir())[0].unlink()
    await journal.stop()
    (verdict,) = verdicts()
    assert "should stand here" in verdict.fault
