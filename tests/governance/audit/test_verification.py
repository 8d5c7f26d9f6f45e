"""Nothing in a journal can be changed, left out, moved, added or cut off without being found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from governance.audit import AuditEntry, Journal, Verdict
from governance.call import ManualClock
from governance.database import Database

pytestmark = pytest.mark.anyio
Verdicts = Callable[[], list[Verdict]]


@pytest.fixture
async def journal(folder: Path, database: Database, entry: Callable[..., AuditEntry], verdicts: Verdicts) -> Path:
    """The folder of a closed journal of three segments, which is whole."""
    clock = ManualClock()
    journal = Journal(folder, database, clock)
    await journal.start()
    for day in range(3):
        for number in range(2):
            await journal.append(entry(f"SO-{day}-{number}"))
        clock.advance(86_400)
    await journal.stop()
    (verdict,) = verdicts()
    assert (verdict.lines, verdict.fault) == (9, "")
    return folder / journal.name


def faults(verdicts: Verdicts) -> list[str]:
    return [verdict.fault for verdict in verdicts() if verdict.fault]


def each_line(journal: Path) -> list[tuple[Path, int, list[bytes]]]:
    """Every line: its segment, its index, and the lines of the segment."""
    found: list[tuple[Path, int, list[bytes]]] = []
    for path in sorted(journal.iterdir()):
        lines = path.read_bytes().splitlines(keepends=True)
        found += [(path, index, lines) for index in range(len(lines))]
    assert len(found) == 9
    return found


def spoiled(how: Callable[[list[bytes], int], list[bytes]], journal: Path, verdicts: Verdicts) -> None:
    """Spoil each line in turn, hold that it is found, and mend it."""
    for path, index, lines in each_line(journal):
        changed = how(list(lines), index)
        if changed == lines:
            continue
        path.write_bytes(b"".join(changed))
        assert faults(verdicts), f"{path.name} line {index + 1}"
        path.write_bytes(b"".join(lines))
    assert not faults(verdicts)


async def test_a_changed_line(journal: Path, verdicts: Verdicts) -> None:
    for old, new in ((b"SO-", b"XO-"), (b'"ok"', b'"no"'), (b"2026", b"2025"), (b"segment", b"segmens")):
        spoiled(lambda lines, i, o=old, n=new: [*lines[:i], lines[i].replace(o, n), *lines[i + 1 :]], journal, verdicts)


async def test_a_line_left_out(journal: Path, verdicts: Verdicts) -> None:
    spoiled(lambda lines, i: [*lines[:i], *lines[i + 1 :]], journal, verdicts)


async def test_lines_in_another_order(journal: Path, verdicts: Verdicts) -> None:
    spoiled(lambda lines, i: [*lines[:i], *lines[i : i + 2][::-1], *lines[i + 2 :]], journal, verdicts)


async def test_a_line_twice(journal: Path, verdicts: Verdicts) -> None:
    spoiled(lambda lines, i: [*lines[: i + 1], *lines[i:]], journal, verdicts)


async def test_a_line_cut_short(journal: Path, verdicts: Verdicts) -> None:
    spoiled(lambda lines, i: [*lines[:i], lines[i][: len(lines[i]) // 2]], journal, verdicts)


async def test_everything_cut_off_from_a_line_on(journal: Path, verdicts: Verdicts) -> None:
    spoiled(lambda lines, i: lines[:i], journal, verdicts)


async def test_a_line_that_was_made_to_fit(
    journal: Path, verdicts: Verdicts, folder: Path, entry: Callable[..., AuditEntry]
) -> None:
    from governance.audit.chain import Line, decoded, digest, encoder

    last = sorted(journal.iterdir())[-1]
    head = last.read_bytes().splitlines()[-1]
    forged = Line(number=decoded(head, "").number + 1, before=digest(head), entry=entry("forged"))
    with last.open("ab") as file:
        file.write(encoder.encode(forged) + b"\n")
    assert "it goes on after line 8" in faults(verdicts)[0]


async def test_a_segment_left_out(journal: Path, verdicts: Verdicts) -> None:
    for path in sorted(journal.iterdir()):
        kept = path.read_bytes()
        path.unlink()
        assert faults(verdicts), path.name
        path.write_bytes(kept)
    assert not faults(verdicts)


async def test_a_journal_left_out(journal: Path, verdicts: Verdicts) -> None:
    shutil.rmtree(journal)
    assert faults(verdicts) == ["it ends before line 8, up to which it was anchored"]


async def test_the_lines_of_another_journal(
    journal: Path, folder: Path, database: Database, entry: Callable[..., AuditEntry], verdicts: Verdicts
) -> None:
    other = Journal(folder, database, ManualClock())
    await other.start()
    await other.append(entry("another"))
    await other.stop()
    first = sorted(journal.iterdir())[0]
    shutil.copy(next((folder / other.name).iterdir()), first)
    assert any("belongs to the journal" in fault for fault in faults(verdicts))
