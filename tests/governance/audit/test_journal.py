"""What was appended is on disk, in one chain; many that wait share a flush; a disk that refuses loses nothing."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from governance.audit import AuditEntry, Filter, Journal, JournalFailed, Verdict, search
from governance.audit import anchoring as anchors
from governance.audit import journal as module
from governance.call import ManualClock, SystemClock
from governance.database import Database

pytestmark = pytest.mark.anyio
Entry = Callable[..., AuditEntry]
Verdicts = Callable[[], list[Verdict]]


def records(folder: Path) -> list[str]:
    return [one.records[0] for one in search(folder, Filter())]


async def test_what_was_appended_is_in_the_chain_and_anchored_at_the_end(
    folder: Path, database: Database, entry: Entry, verdicts: Verdicts
) -> None:
    journal = Journal(folder, database, SystemClock())
    await journal.start()
    for number in range(5):
        await journal.append(entry(f"SO-{number}"))
        assert records(folder)[-1] == f"SO-{number}"  # on disk when append returns
    await journal.stop()
    (verdict,) = verdicts()
    assert (verdict.lines, verdict.fault, verdict.remark) == (6, "", "")
    with pytest.raises(JournalFailed):
        await journal.append(entry())


async def test_entries_that_wait_at_the_same_time_share_one_flush(
    folder: Path, database: Database, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes: list[int] = []
    flush = os.fdatasync

    def counted(descriptor: int) -> None:
        flushes.append(descriptor)
        flush(descriptor)

    monkeypatch.setattr(module.os, "fdatasync", counted)
    journal = Journal(folder, database, SystemClock())
    waiting = [asyncio.create_task(_append_when_open(journal, entry(f"SO-{number}"))) for number in range(200)]
    await asyncio.sleep(0)
    await journal.start()
    await asyncio.gather(*waiting)
    await journal.stop()
    assert len(records(folder)) == 200
    assert len(flushes) < 20


async def _append_when_open(journal: Journal, entry: AuditEntry) -> None:
    await asyncio.sleep(0)
    await journal.append(entry)


async def test_a_noted_entry_is_on_disk_with_the_next_appended_one(
    folder: Path, database: Database, entry: Entry
) -> None:
    journal = Journal(folder, database, SystemClock())
    await journal.start()
    journal.note(entry("inner"))
    await journal.append(entry("outer"))
    assert records(folder) == ["inner", "outer"]
    await journal.stop()


async def test_remarks_about_nothing_done_are_bounded_and_changes_are_not(
    folder: Path, database: Database, entry: Entry
) -> None:
    clock = ManualClock()
    journal = Journal(folder, database, clock)
    await journal.start()
    for _ in range(module.MOST_REMARKS_PER_S + 50):
        journal.remark(entry("remark"))
        journal.note(entry("change"))
    assert journal.dropped == 50
    clock.advance(1.0)
    journal.remark(entry("remark"))
    await journal.append(entry("last"))
    found = records(folder)
    assert found.count("remark") == module.MOST_REMARKS_PER_S + 1
    assert found.count("change") == module.MOST_REMARKS_PER_S + 50
    await journal.stop()


async def test_a_disk_that_refuses_fails_who_waits_and_gets_the_entries_when_it_is_back(
    folder: Path, database: Database, entry: Entry, verdicts: Verdicts, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(folder, database, SystemClock())
    await journal.start()
    await journal.append(entry("before"))
    with monkeypatch.context() as full:
        full.setattr(module, "_write_all", _half_written)
        with pytest.raises(JournalFailed, match="No space left"):
            await journal.append(entry("during"))
        assert journal.failed
    await journal.append(entry("after"))
    assert not journal.failed
    await journal.stop()
    assert records(folder) == ["before", "during", "after"]
    assert [verdict.fault for verdict in verdicts()] == [""]


def _half_written(file: module.BinaryIO, data: bytes) -> None:
    file.write(data[: len(data) // 2])
    raise OSError(28, "No space left on device")


async def test_it_recovers_with_nobody_asking_and_ends_though_the_disk_still_refuses(
    folder: Path, database: Database, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.01)
    journal = Journal(folder, database, SystemClock())
    await journal.start()
    with monkeypatch.context() as full:
        full.setattr(module, "_write_all", _half_written)
        with pytest.raises(JournalFailed):
            await journal.append(entry("kept"))
    async with asyncio.timeout(30):
        while journal.failed:
            await asyncio.sleep(0.005)
    assert records(folder) == ["kept"]
    monkeypatch.setattr(module, "_write_all", _half_written)
    with pytest.raises(JournalFailed):
        await journal.append(entry("lost"))
    async with asyncio.timeout(30):
        await journal.stop()


async def test_a_folder_that_can_not_be_made_is_a_failure_that_is_told(
    folder: Path, database: Database, entry: Entry
) -> None:
    folder.write_text("in the way")
    journal = Journal(folder, database, SystemClock())
    await journal.start()
    with pytest.raises(JournalFailed):
        await journal.append(entry())
    await journal.stop()


async def test_a_segment_is_closed_by_size_and_by_day_and_the_chain_goes_on(
    folder: Path, database: Database, entry: Entry, verdicts: Verdicts
) -> None:
    clock = ManualClock()
    journal = Journal(folder, database, clock, segment_bytes=600)
    await journal.start()
    for number in range(6):
        await journal.append(entry(f"SO-{number}"))
    by_size = len(list(folder.rglob("*.jsonl")))
    assert by_size > 1
    clock.advance(86_400)
    await journal.append(entry("tomorrow"))
    assert len(list(folder.rglob("*.jsonl"))) == by_size + 1
    await journal.stop()
    assert [verdict.fault for verdict in verdicts()] == [""]


async def test_a_database_that_is_slow_to_write_holds_up_no_entry(
    folder: Path, database: Database, entry: Entry, verdicts: Verdicts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of orders keeps the one writer busy; everything that changes anything waits for its audit."""
    anchoring, let_go = threading.Event(), threading.Event()

    def slow(*_: object) -> None:
        anchoring.set()
        let_go.wait(30)

    monkeypatch.setattr(anchors, "put_anchor", slow)
    monkeypatch.setattr(anchors, "ANCHOR_EVERY_S", 0.01)
    journal = Journal(folder, database, SystemClock())
    await journal.start()
    await journal.append(entry("SO-1"))
    await asyncio.to_thread(anchoring.wait, 10)
    async with asyncio.timeout(30):
        await journal.append(entry("SO-2"))
    assert records(folder) == ["SO-1", "SO-2"]
    let_go.set()
    monkeypatch.undo()
    await journal.stop()
    (verdict,) = verdicts()
    assert (verdict.fault, verdict.remark) == ("", "")


async def test_several_processes_keep_journals_of_their_own(
    folder: Path, database: Database, entry: Entry, verdicts: Verdicts
) -> None:
    journals = [Journal(folder, database, SystemClock()) for _ in range(3)]
    for journal in journals:
        await journal.start()
    await asyncio.gather(*(journal.append(entry(f"SO-{n}")) for n in range(10) for journal in journals))
    for journal in journals:
        await journal.stop()
    assert [(verdict.lines, verdict.fault) for verdict in verdicts()] == [(11, "")] * 3
