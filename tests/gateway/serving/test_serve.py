"""``tiergate serve`` from start to end, as processes: what it keeps alive, in which order it ends, what it leaves."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import URLError

import pytest

from tests.gateway.serving.conftest import Start
from tests.gateway.serving.gateway_process import eventually, running


def test_it_drains_then_stops_the_engine_and_the_store_last(tmp_path: Path, start: Start) -> None:
    gateway = start(tmp_path / "home").ready()
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(gateway.get, "/slow")
        eventually(lambda: gateway.journal() == ["slow began"])
        assert gateway.stop() == 0
        assert answer.result().isdigit()
    assert gateway.journal() == ["slow began", "engine stopped, draining", "store there"]
    assert running(str(gateway.home)) == []


def test_a_second_signal_ends_it_at_once(tmp_path: Path, start: Start) -> None:
    gateway = start(tmp_path / "home").ready()
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(gateway.get, "/slow")
        eventually(lambda: gateway.journal() == ["slow began"])
        gateway.process.send_signal(signal.SIGINT)
        assert gateway.process.stdout is not None
        next(line for line in gateway.process.stdout if "Finishing" in line)
        assert gateway.stop(signal.SIGINT) == 0
        with pytest.raises(OSError):
            answer.result()
    assert gateway.journal() == ["slow began"]
    assert running(str(gateway.home)) == []


def test_a_worker_that_dies_is_replaced_and_no_connection_is_refused(tmp_path: Path, start: Start) -> None:
    gateway = start(tmp_path / "home").ready()
    first = gateway.get()
    with pytest.raises((URLError, OSError)):
        gateway.get("/die")
    assert gateway.get() != first


def test_several_workers_share_the_port(tmp_path: Path, start: Start) -> None:
    gateway = start(tmp_path / "home", "--workers", "2").ready()
    workers = {pid for pid in running("gateway.serving.worker") if pid in running(f"--parent {gateway.process.pid}")}
    assert len(workers) == 2
    assert int(gateway.get()) in workers


def test_nothing_outlives_a_kill_and_the_next_start_works(tmp_path: Path, start: Start) -> None:
    home = tmp_path / "home"
    gateway = start(home, "--workers", "2").ready()
    gateway.process.kill()
    again = start(home, port=gateway.port).ready()
    assert again.get().isdigit()
    assert running(f"--parent {gateway.process.pid}") == []
    assert len(running(str(home / "valkey.sock"))) <= 1
    assert again.stop() == 0


def test_a_second_gateway_joins_and_takes_over_the_store(tmp_path: Path, start: Start) -> None:
    home = tmp_path / "home"
    first = start(home).ready()
    second = start(home).ready()
    store = first.store()
    assert first.get() != second.get()
    assert first.stop() == 0
    eventually(lambda: second.store() not in (0, store))
    assert second.get().isdigit()
    assert second.stop() == 0


def test_a_dead_store_is_started_again(tmp_path: Path, start: Start) -> None:
    gateway = start(tmp_path / "home").ready()
    store = gateway.store()
    os.kill(store, signal.SIGKILL)
    eventually(lambda: gateway.store() not in (0, store))
    assert gateway.stop() == 0


def test_a_terminal_that_goes_away_takes_no_gateway_with_it(tmp_path: Path, start: Start) -> None:
    gateway = start(tmp_path / "home").ready()
    assert gateway.process.stdout is not None
    gateway.process.stdout.close()
    gateway.process.send_signal(signal.SIGHUP)
    eventually(lambda: "nothing has changed" in gateway.log())
    assert gateway.get().isdigit()
    assert gateway.stop() == 0
    assert gateway.journal()[0] == "engine stopped, draining"


def test_what_it_makes_is_readable_by_its_own_user_only(tmp_path: Path, start: Start) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    assert start(home).ready().stop() == 0
    made = [entry for entry in home.rglob("*") if not entry.is_socket()]
    assert made
    assert [entry for entry in made if entry.stat().st_mode & 0o077] == []
