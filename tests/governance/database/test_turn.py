"""Whose turn it is to write."""

from __future__ import annotations

import threading
from pathlib import Path

import sqlalchemy as sa

from governance.database import open_engine
from governance.database.turn import URGENT, Turn, turn_of


def waiting(turn: Turn, urgent: bool, name: str, order: list[str]) -> threading.Thread:
    def wait() -> None:
        turn.take(urgent=urgent)
        order.append(name)
        turn.give_back()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_what_somebody_waits_for_goes_first() -> None:
    turn, order = Turn(), list[str]()
    turn.take(urgent=False)
    threads = [waiting(turn, False, f"patient {number}", order) for number in range(4)]
    threads.append(waiting(turn, True, "urgent", order))
    while turn.urgent_waiting < 1:
        threading.Event().wait(0.001)
    turn.give_back()
    for thread in threads:
        thread.join(30)
    assert order[0] == "urgent"
    assert len(order) == 5


def test_among_equals_the_one_that_waits_the_longest_is_next() -> None:
    turn, order = Turn(), list[str]()
    turn.take(urgent=False)
    threads: list[threading.Thread] = []
    for number in range(5):
        threads.append(waiting(turn, True, str(number), order))
        while turn.urgent_waiting <= number:
            threading.Event().wait(0.001)
    turn.give_back()
    for thread in threads:
        thread.join(30)
    assert order == ["0", "1", "2", "3", "4"]


def test_all_engines_of_a_process_share_the_turn_of_a_file(tmp_path: Path) -> None:
    """Or one would wait in SQLite's busy handler, which sleeps while the others pass."""
    engines = [open_engine(tmp_path, "", 2) for _ in range(2)]
    notes = sa.Table("notes", sa.MetaData(), sa.Column("n", sa.Integer, primary_key=True))
    notes.metadata.create_all(engines[0])
    turn = turn_of(str(tmp_path / "tiergate.sqlite"))

    def write() -> None:
        with engines[1].connect().execution_options(**{URGENT: True}) as connection, connection.begin():
            connection.execute(sa.insert(notes).values(n=2))

    with engines[0].begin() as connection:
        connection.execute(sa.insert(notes).values(n=1))
        other = threading.Thread(target=write)
        other.start()
        while turn.urgent_waiting < 1:
            threading.Event().wait(0.001)
    other.join(30)
    with engines[0].connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(notes)).scalar() == 2
    for engine in engines:
        engine.dispose()


def test_one_writes_at_a_time(tmp_path: Path) -> None:
    """Also when urgent and patient writers mix; nobody is left out and nothing is lost."""
    engine = open_engine(tmp_path, "", 8)
    notes = sa.Table("notes", sa.MetaData(), sa.Column("n", sa.Integer, primary_key=True))
    notes.metadata.create_all(engine)

    def write(numbers: range, urgent: bool) -> None:
        for number in numbers:
            with engine.connect().execution_options(**{URGENT: urgent}) as connection, connection.begin():
                connection.execute(sa.insert(notes).values(n=number))

    threads = [
        threading.Thread(target=write, args=(range(place * 20, place * 20 + 20), place % 2 == 0)) for place in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(notes)).scalar() == 120
    engine.dispose()
