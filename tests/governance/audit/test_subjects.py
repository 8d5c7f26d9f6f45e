"""A person is a reference; erased, it leads nowhere, and the chain is as whole as before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from governance.audit import AuditEntry, Filter, Journal, Subjects, Verdict, erase, names, reference_of, search
from governance.call import ManualClock
from governance.database import Database

pytestmark = pytest.mark.anyio


async def test_a_subject_has_one_reference_in_every_process(database: Database) -> None:
    clock = ManualClock()
    here, there = Subjects(database, clock), Subjects(database, clock)
    reference = await here.reference("jane@acme.example")
    assert await there.reference("jane@acme.example") == reference
    assert here.known("jane@acme.example") == reference
    assert await here.reference("joe@acme.example") != reference
    assert "jane" not in reference


async def test_erasing_leaves_the_chain_and_nobody_in_it(
    folder: Path, database: Database, entry: Callable[..., AuditEntry], verdicts: Callable[[], list[Verdict]]
) -> None:
    clock = ManualClock()
    subjects = Subjects(database, clock)
    reference = await subjects.reference("jane@acme.example")
    journal = Journal(folder, database, clock)
    await journal.start()
    await journal.append(entry(subject=reference))
    await journal.stop()

    assert database.read_here(names) == {reference: "jane@acme.example"}
    assert database.write_here(lambda connection: erase(connection, "jane@acme.example"))
    assert not database.write_here(lambda connection: erase(connection, "jane@acme.example"))

    assert database.read_here(names) == {}
    assert database.read_here(lambda connection: reference_of(connection, "jane@acme.example")) is None
    assert [verdict.fault for verdict in verdicts()] == [""]
    assert [one.subject for one in search(folder, Filter(subject=reference))] == [reference]
    assert b"jane" not in b"".join(path.read_bytes() for path in folder.rglob("*.jsonl"))

    clock.advance(61)
    assert subjects.known("jane@acme.example") is None
    assert await subjects.reference("jane@acme.example") != reference
