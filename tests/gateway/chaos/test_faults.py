"""What each fault does to a call, and that faults are put in nowhere but in a home of chaos."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.chaos.faults import Faults, counted, faults_of
from gateway.chaos.kill_switch import Arming, arm, deaths, disarm
from gateway.chaos.plan import FOLDER, OVER, Plan, write_plan
from gateway.settings import SettingsError, load_settings
from governance.contract.refusals import SystemUnavailable

DIES = """
import sys
from pathlib import Path
import sqlalchemy as sa
from gateway.chaos.kill_switch import KillSwitch
from process_apis.flow.leg import TAKES_UP

home = Path(sys.argv[1])
switch = KillSwitch(home)
switch.start()
engine = sa.create_engine(f"sqlite:///{home}/own.sqlite")
table = sa.Table("operation_outputs", sa.MetaData(), sa.Column("workflow_uuid"), sa.Column("function_name"))
with engine.begin() as connection:
    connection.execute(sa.text("CREATE TABLE IF NOT EXISTS operation_outputs (workflow_uuid, function_name)"))
with engine.begin() as connection:
    connection.execute(sa.select(table).execution_options(**{TAKES_UP: "a-flow"}))
    connection.execute(sa.insert(table).values(workflow_uuid="a-flow", function_name="ship"))
print("survived")
switch.stop()
"""


class Till:
    """A system that counts."""

    def __init__(self) -> None:
        self.coins = 0
        self.started = False

    async def start(self) -> None:
        self.started = True

    async def stop(self) -> None:
        self.started = False

    async def add(self, reference: str) -> int:
        self.coins += 1
        return self.coins

    def look(self) -> int:
        return self.coins


def around(home: Path, **shares: float) -> tuple[Till, Till]:
    write_plan(home, Plan(seed=1, began=time.time(), **shares))
    till = Till()
    return till, faults_of(home).around("till", till)


@pytest.mark.anyio
async def test_a_call_that_fails_has_no_effect(tmp_path: Path) -> None:
    till, faulty = around(tmp_path, failing=1.0)
    with pytest.raises(SystemUnavailable):
        await faulty.add("a")
    assert till.coins == 0


@pytest.mark.anyio
async def test_a_lost_answer_comes_after_the_effect_and_a_late_effect_after_the_answer(tmp_path: Path) -> None:
    till, faulty = around(tmp_path, lost=1.0)
    await faulty.start()
    done_at_once = 0
    for number in range(40):
        before = till.coins
        with pytest.raises(SystemUnavailable):
            await faulty.add(str(number))
        done_at_once += till.coins - before
    assert 20 < done_at_once < 40
    await faulty.stop()
    assert till.coins == 40


@pytest.mark.anyio
async def test_what_is_not_faulty_is_the_connectors_own(tmp_path: Path) -> None:
    till, faulty = around(tmp_path)
    assert await faulty.add("a") == 1
    assert faulty.look() == 1
    assert faulty.coins == 1
    await faulty.start()
    assert till.started
    await faulty.stop()


@pytest.mark.anyio
async def test_faults_end_when_the_run_says_so_and_are_counted(tmp_path: Path) -> None:
    till, faulty = around(tmp_path, failing=1.0)
    await faulty.start()
    with pytest.raises(SystemUnavailable):
        await faulty.add("a")
    (tmp_path / FOLDER / OVER).touch()
    await faulty.add("a")
    assert till.coins == 1
    await faulty.stop()
    assert counted(tmp_path)["fails"] == 1


@pytest.mark.anyio
async def test_a_system_that_is_away_answers_nobody(tmp_path: Path) -> None:
    _, faulty = around(tmp_path, away=1.0)
    calls = await asyncio.gather(*(faulty.add(str(number)) for number in range(5)), return_exceptions=True)
    assert all(isinstance(call, SystemUnavailable) for call in calls)


def test_a_home_that_is_none_of_chaos_has_no_faults(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no home of chaos"):
        faults_of(tmp_path)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("", "this home was not made by tiergate chaos"),
        ('[gateway]\nhost = "0.0.0.0"\n', "on a loopback address with the embedded issuer only"),
        ('[systems.erp]\nconnector = "other"\n', "in front of embedded systems only"),
    ],
)
def test_faults_are_refused_by_the_settings_anywhere_else(tmp_path: Path, more: str, sentence: str) -> None:
    (tmp_path / "tiergate.toml").write_text(f"{more}[chaos]\nfaults = true\n")
    if more:
        write_plan(tmp_path / "var", Plan(seed=1))
    with pytest.raises(SettingsError, match=sentence):
        load_settings({}, tmp_path)


def test_faults_are_allowed_in_a_home_of_chaos(tmp_path: Path) -> None:
    (tmp_path / "tiergate.toml").write_text("[chaos]\nfaults = true\n")
    write_plan(tmp_path / "var", Plan(seed=1))
    assert load_settings({}, tmp_path).chaos.faults


@pytest.mark.parametrize(("boundary", "noted"), [("ship.before", ["taken_up"]), ("ship.after", ["taken_up", "ship"])])
def test_the_kill_switch_ends_its_process_at_the_boundary(tmp_path: Path, boundary: str, noted: list[str]) -> None:
    write_plan(tmp_path, Plan(seed=1))
    arm(tmp_path, boundary, Arming(number=4))
    died = run_a_step(tmp_path)
    assert died.returncode == -signal.SIGKILL
    assert [(death.number, death.boundary) for death in deaths(tmp_path)] == [(4, boundary)]
    assert run_a_step(tmp_path).stdout == "survived\n"
    written = sorted((tmp_path / FOLDER / "progress").iterdir(), key=lambda file: file.stat().st_mtime)
    names = [[line.rpartition(" ")[2] for line in file.read_text().splitlines()] for file in written]
    assert names == [noted, ["taken_up", "ship"]]


def test_what_was_armed_and_not_reached_is_taken_back(tmp_path: Path) -> None:
    write_plan(tmp_path, Plan(seed=1))
    arm(tmp_path, "ship.before", Arming(number=4))
    assert disarm(tmp_path) == ["ship.before"]
    assert run_a_step(tmp_path).stdout == "survived\n"


def run_a_step(home: Path) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parents[3])
    return subprocess.run(
        [sys.executable, "-c", DIES, str(home)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": root},
    )


def test_every_public_call_of_a_connector_is_faulty(tmp_path: Path) -> None:
    write_plan(tmp_path, Plan(seed=1))
    faulty = Faults(tmp_path, Plan(seed=1)).around("till", Till())
    assert faulty.add.__qualname__ != Till.add.__qualname__
