"""Settings that change while the gateway serves: where they hold, what a bad file does, and that nothing is dropped."""

from __future__ import annotations

import http.client
import signal
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gateway.serving.conftest import Start
from tests.gateway.serving.gateway_process import Gateway, eventually, promptly, running

TAKES_EFFECT_S = 2.0


def write(folder: Path, text: str) -> None:
    """Put a whole new file in place, as editors and configuration managers do."""
    new = folder / "tiergate.toml.new"
    new.write_text(text)
    new.replace(folder / "tiergate.toml")


def workers(gateway: Gateway) -> set[int]:
    """The process ids of its workers."""
    return set(running(f"--parent {gateway.process.pid}"))


def hold(gateway: Gateway, plans: str) -> bool:
    """Whether every worker says that it knows exactly these plans; asked at once, so that all come to answer."""
    with ThreadPoolExecutor(8) as pool:
        answers = [answer.split(" ") for answer in pool.map(gateway.get, ["/plans"] * 16)]
    seen = {int(worker): known for worker, known in answers}
    return seen.keys() == workers(gateway) and set(seen.values()) == {plans}


def heard(gateway: Gateway, words: str) -> str:
    """Wait for a line on its error output that holds ``words``."""
    assert gateway.process.stderr is not None
    return next(line for line in gateway.process.stderr if words in line)


@contextmanager
def load(gateway: Gateway, *, kept: bool) -> Generator[list[str]]:
    """Requests without pause, on kept connections or a new one each; gives what failed of them."""
    failures: list[str] = []
    done = threading.Event()
    counts: list[int] = []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=40)
        count = 0
        while not done.is_set():
            try:
                connection.request("GET", "/pid")
                if connection.getresponse().read().isdigit():
                    count += 1
                else:
                    failures.append("no answer")
            except (OSError, http.client.HTTPException) as error:
                failures.append(repr(error))
                connection.close()
            if not kept:
                connection.close()
            done.wait(0.002)
        connection.close()
        counts.append(count)

    clients = [threading.Thread(target=client) for _ in range(4)]
    for one in clients:
        one.start()
    try:
        yield failures
    finally:
        done.set()
        for one in clients:
            one.join()
    assert min(counts) > 10


def test_reloads_in_place_drop_no_request_and_hold_in_every_worker(tmp_path: Path, start: Start) -> None:
    write(tmp_path, "[plans.p0]\n")
    gateway = start(tmp_path / "home", "--workers", "2").ready()
    before = workers(gateway)
    with load(gateway, kept=True) as failures:
        for round_ in range(1, 21):
            write(tmp_path, f"[plans.p{round_}]\n")
            gateway.process.send_signal(signal.SIGHUP)
            promptly(lambda plans=f"p{round_}": hold(gateway, plans), TAKES_EFFECT_S)
    assert failures == []
    assert workers(gateway) == before


def test_a_changed_file_is_noticed(tmp_path: Path, start: Start) -> None:
    write(tmp_path, "[plans.old]\n")
    gateway = start(tmp_path / "home", "--workers", "2").ready()
    write(tmp_path, "[plans.new]\n")
    promptly(lambda: hold(gateway, "new"), TAKES_EFFECT_S)


def test_a_changed_file_waits_for_the_signal_where_noticing_is_off(tmp_path: Path, start: Start) -> None:
    write(tmp_path, "[gateway]\nreload_on_change = false\n[plans.old]\n")
    gateway = start(tmp_path / "home").ready()
    write(tmp_path, "[gateway]\nreload_on_change = false\n[plans.new]\n")
    with pytest.raises(AssertionError):
        eventually(lambda: hold(gateway, "new"), 1.5)
    gateway.process.send_signal(signal.SIGHUP)
    promptly(lambda: hold(gateway, "new"), TAKES_EFFECT_S)


BAD = (
    ("[plans.unusable]\n", "tiergate.toml: plans.unusable can't be used."),
    ("[plans.x]\n[gateway]\nmost_in_flight = 0\n", "gateway.most_in_flight must be"),
    ("[plans", "tiergate.toml is not valid TOML"),
    ("[plans.unusable]\n[gateway]\nmost_in_flight = 5\n", "tiergate.toml: plans.unusable can't be used."),
)


def test_a_bad_file_is_refused_whole_and_the_settings_in_force_stay(tmp_path: Path, start: Start) -> None:
    write(tmp_path, "[plans.good]\n")
    gateway = start(tmp_path / "home").ready()
    before = workers(gateway)
    for text, said in BAD:
        write(tmp_path, text)
        gateway.process.send_signal(signal.SIGHUP)
        assert said in heard(gateway, "tiergate.toml")
        assert said in gateway.log()
        eventually(lambda: hold(gateway, "good"))
        assert workers(gateway) == before


def test_a_file_that_has_gone_is_no_wish_for_the_defaults(tmp_path: Path, start: Start) -> None:
    write(tmp_path, "[plans.good]\n")
    gateway = start(tmp_path / "home").ready()
    (tmp_path / "tiergate.toml").unlink()
    heard(gateway, "tiergate.toml has gone")
    eventually(lambda: hold(gateway, "good"))


def test_a_worker_that_dies_beside_a_bad_file_comes_back_with_the_settings_in_force(
    tmp_path: Path, start: Start
) -> None:
    write(tmp_path, "[plans.first]\n")
    gateway = start(tmp_path / "home").ready()
    write(tmp_path, "[plans.second]\n")
    eventually(lambda: hold(gateway, "second"))
    write(tmp_path, "[plans")
    heard(gateway, "not valid TOML")
    before = gateway.get()
    with pytest.raises((OSError, http.client.HTTPException)):
        gateway.get("/die")
    assert gateway.get() != before
    eventually(lambda: hold(gateway, "second"))


def test_other_sections_bring_new_workers_one_after_another(tmp_path: Path, start: Start) -> None:
    write(tmp_path, "[plans.old]\n")
    gateway = start(tmp_path / "home", "--workers", "2").ready()
    before = workers(gateway)
    with load(gateway, kept=True) as kept, load(gateway, kept=False) as fresh:
        write(tmp_path, "[gateway]\nmost_in_flight = 77\n[plans.new]\n")
        eventually(lambda: "new workers serve" in gateway.log())
    assert (kept, fresh) == ([], [])
    eventually(lambda: hold(gateway, "new"))
    assert not before & workers(gateway)


def test_what_takes_a_restart_is_named_and_the_rest_is_taken_over(tmp_path: Path, start: Start) -> None:
    write(tmp_path, "[plans.old]\n")
    gateway = start(tmp_path / "home").ready()
    before = gateway.get()
    write(tmp_path, '[gateway]\nworkers = 3\n[database]\nurl = "sqlite:///x.db"\n[plans.new]\n')
    promptly(lambda: hold(gateway, "new"), TAKES_EFFECT_S)
    eventually(lambda: "gateway.workers, database.url must wait for a restart" in gateway.log())
    assert gateway.get() == before


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_twenty_replacements_of_every_worker_drop_no_request(tmp_path: Path, start: Start) -> None:
    write(tmp_path, "[plans.p0]\n")
    gateway = start(tmp_path / "home", "--workers", "2").ready()
    with load(gateway, kept=True) as kept, load(gateway, kept=False) as fresh:
        for round_ in range(1, 21):
            write(tmp_path, f"[gateway]\nmost_in_flight = {100 + round_}\n[plans.p{round_}]\n")
            eventually(lambda times=round_: gateway.log().count("new workers serve") == times)
    assert (kept, fresh) == ([], [])
