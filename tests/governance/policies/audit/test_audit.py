"""Who did what to which record, on whose behalf: written before the answer leaves, inner changes included."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from governance.audit import AuditEntry, Filter, Subjects, search
from governance.bindings.assembly import Assembly
from governance.bindings.edge import Edge
from governance.call import ManualClock
from governance.contract import Operation, api_of
from governance.database import Database
from governance.policies.audit import AuditFolder, Enforcement, Settings
from governance.policies.ownership import Enforcement as Ownership
from governance.policies.ownership import Settings as OwnershipSettings
from tests.governance.bindings.sample_apis import LoansV1, ShelvesV1
from tests.governance.bindings.sample_gateway import SHELVES, ask, assemble, edge_of

pytestmark = pytest.mark.anyio
BOOK = json.dumps({"title": "Emma", "copies": 2, "account_id": "A"}).encode()
KEY = {"Idempotency-Key": '"k-1"'}


class Audited:
    """The sample gateway under audit."""

    def __init__(self, home: Path, settings: Settings) -> None:
        self.folder = home / "audit"
        self.database = Database(home)
        self.clock = ManualClock()
        self.policy = Enforcement(settings, AuditFolder(self.folder), self.database, self.clock)
        self.assembly: Assembly = assemble(policies=(self.policy,))
        self.edge: Edge = edge_of(self.assembly)

    async def start(self) -> None:
        await self.database.start()
        await self.policy.start()

    async def stop(self) -> None:
        await self.policy.stop()
        await self.database.stop()

    @property
    def entries(self) -> list[AuditEntry]:
        return list(search(self.folder, Filter()))

    async def settled(self) -> list[AuditEntry]:
        """What is on disk once everything noted before is."""
        await self.policy.journal.append(self._mark())
        return self.entries[:-1]

    def _mark(self) -> AuditEntry:
        return AuditEntry(at=ManualClock().now(), operation="mark", binding="local", outcome="ok")


@pytest.fixture
async def audited(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Audited]:
    gateway = Audited(tmp_path, Settings())
    await gateway.start()
    yield gateway
    await gateway.stop()


def operation(name: str) -> Operation:
    return next(one for api in (ShelvesV1, LoansV1) for one in api_of(api).operations if one.name == name)


async def test_a_change_is_on_disk_when_its_answer_comes(audited: Audited) -> None:
    answer = await ask(audited.edge, "POST", f"{SHELVES}/books", body=BOOK, headers=KEY)
    assert answer.status == 201, answer.body
    (entry,) = audited.entries
    made = answer.headers["location"].rpartition("/")[2]
    assert (entry.operation, entry.outcome, entry.binding) == ("shelves.v1.add_book", "ok", "served")
    assert (entry.records, entry.accounts, entry.client) == ((made,), ("A",), "c-1")
    assert entry.request_id == answer.headers["request-id"]


async def test_a_person_is_named_by_reference_only(audited: Audited) -> None:
    await ask(audited.edge, "POST", f"{SHELVES}/books", body=BOOK, headers=KEY)
    (entry,) = audited.entries
    assert entry.subject == await Subjects(audited.database, ManualClock()).reference("reader")
    assert b"reader" not in b"".join(path.read_bytes() for path in audited.folder.rglob("*.jsonl"))


async def test_inner_changes_stand_before_the_outer_one_with_the_api_that_acted(audited: Audited) -> None:
    made = await ask(audited.edge, "POST", f"{SHELVES}/books", body=BOOK, headers=KEY)
    book = made.headers["location"].rpartition("/")[2]
    lent = await ask(audited.edge, "POST", f"/process/loans/v1/books/{book}/lend", headers=KEY)
    assert lent.status < 300, lent.body
    _, *inner, outer = audited.entries
    assert (outer.operation, outer.records) == ("loans.v1.lend", (book,))
    assert inner
    assert {(one.binding, one.acting_api, one.request_id) for one in inner} == {
        ("local", "loans.v1", lent.headers["request-id"])
    }


async def test_a_refused_change_is_written_with_its_problem(audited: Audited) -> None:
    gone = await ask(audited.edge, "POST", f"{SHELVES}/books/lent/bind", headers=KEY)
    assert gone.status >= 400
    (entry,) = audited.entries
    assert (entry.operation, entry.records) == ("shelves.v1.bind_book", ("lent",))
    assert entry.outcome == gone.json["type"].rpartition("/")[2]


async def test_reads_leave_no_trace_and_cost_nothing(audited: Audited) -> None:
    assert (await ask(audited.edge, "GET", f"{SHELVES}/words/hello")).status == 200
    assert await audited.settled() == []
    assert audited.policy.enforce(operation("get_word"), "served") is None
    assert audited.policy.enforce(operation("get_word"), "local") is None


async def test_reads_are_written_where_the_settings_say_so(tmp_path: Path) -> None:
    gateway = Audited(tmp_path, Settings(reads=True))
    await gateway.start()
    assert (await ask(gateway.edge, "GET", f"{SHELVES}/words/hello")).status == 200
    (entry,) = await gateway.settled()
    await gateway.stop()
    assert (entry.operation, entry.records) == ("shelves.v1.get_word", ("hello",))
    assert gateway.policy.enforce(operation("get_word"), "local") is None


async def test_while_the_journal_fails_changes_are_refused_before_they_are_made(audited: Audited) -> None:
    audited.policy.journal.failed = True
    (await ask(audited.edge, "POST", f"{SHELVES}/books", body=BOOK, headers=KEY)).problem(503, "unavailable")
    audited.policy.journal.failed = False
    listed = await ask(audited.edge, "GET", f"{SHELVES}/books?account_id=A")
    assert listed.json["items"] == [] or all(book["title"] != "Emma" for book in listed.json["items"])
    assert await audited.settled() == []


async def test_a_disk_that_fails_under_a_change_is_a_503_and_open_lets_it_pass(tmp_path: Path) -> None:
    for settings, status in ((Settings(), 503), (Settings(on_failure="open"), 201)):
        home = tmp_path / str(status)
        home.mkdir()
        (home / "audit").write_text("in the way")
        gateway = Audited(home, settings)
        await gateway.start()
        assert (await ask(gateway.edge, "POST", f"{SHELVES}/books", body=BOOK, headers=KEY)).status == status
        assert (await ask(gateway.edge, "POST", f"{SHELVES}/books", body=BOOK, headers=KEY)).status == status
        await gateway.stop()


async def test_a_database_that_is_away_refuses_who_was_not_met_before(audited: Audited) -> None:
    await ask(audited.edge, "POST", f"{SHELVES}/books", body=BOOK, headers=KEY)
    await audited.database.stop()
    assert (await ask(audited.edge, "POST", f"{SHELVES}/books", body=BOOK, headers=KEY)).status == 201
    audited.clock.advance(61)  # what it remembers of people is forgotten
    (await ask(audited.edge, "POST", f"{SHELVES}/books", body=BOOK, headers=KEY)).problem(503, "unavailable")


@pytest.mark.parametrize("problem", ["unauthenticated", "insufficient-scope", "account-required"])
async def test_who_was_not_let_in_is_written_once(audited: Audited, samples: Any, problem: str) -> None:
    exchange = samples.served("get_thing")
    exchange.evidence["problem"] = problem
    await audited.policy.refused(exchange)
    (entry,) = await audited.settled()
    assert (entry.operation, entry.outcome, entry.client) == ("samples.v1.get_thing", problem, "portal-demo")


async def test_other_refusals_of_reads_are_not(audited: Audited, samples: Any) -> None:
    exchange = samples.served("get_thing")
    exchange.evidence["problem"] = "not-found"
    await audited.policy.refused(exchange)
    assert await audited.settled() == []


async def test_a_read_of_anothers_record_is(tmp_path: Path) -> None:
    gateway = Audited(tmp_path, Settings())
    gateway.edge = edge_of(assemble(policies=(gateway.policy, Ownership(OwnershipSettings(), ManualClock()))))
    await gateway.start()
    (await ask(gateway.edge, "GET", f"{SHELVES}/books?account_id=B")).problem(404, "not-found")
    (entry,) = await gateway.settled()
    await gateway.stop()
    assert (entry.operation, entry.outcome, entry.accounts) == ("shelves.v1.list_books", "not-found", ("B",))


def test_going_on_without_a_journal_is_a_finding(tmp_path: Path) -> None:
    def found(settings: Settings, name: str) -> list[str]:
        policy = Enforcement(settings, AuditFolder(tmp_path), Database(tmp_path), ManualClock())
        return [finding.id for finding in policy.audit(operation(name))]

    assert found(Settings(on_failure="open"), "add_book") == ["AD-010"]
    assert found(Settings(on_failure="open"), "get_word") == found(Settings(), "add_book") == []
