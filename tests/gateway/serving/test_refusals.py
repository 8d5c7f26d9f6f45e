"""A gateway that can't start says why in one sentence on stderr, and its exit code is not 0."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gateway.serving.home import Home
from gateway.serving.listener import listen
from gateway.serving.refusal import StartRefused
from tests.gateway.serving.conftest import Start
from tests.gateway.serving.gateway_process import running


def test_a_port_in_use(tmp_path: Path, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        gateway = start(tmp_path / "home", port=port)
        assert gateway.said() == (
            f"tiergate: Port {port} on 127.0.0.1 is in use; stop what listens there, or set TIERGATE_PORT to another port.\n"
        )
        assert gateway.ended() == 1


def test_a_file_in_the_place_of_the_home(tmp_path: Path, start: Start) -> None:
    (tmp_path / "home").touch()
    gateway = start(tmp_path / "home")
    assert gateway.said() == (
        f"tiergate: {tmp_path / 'home'} is not a folder; set TIERGATE_HOME to one that can hold the state.\n"
    )
    assert gateway.ended() == 1


READ_ONLY = """
import os, sys
from pathlib import Path
from gateway.serving.home import Home
from gateway.serving.refusal import StartRefused
if os.getuid() == 0:
    os.setuid(65534)  # root may write everywhere
try:
    Home(Path(sys.argv[1]))
except StartRefused as refused:
    print(refused)
"""


def test_a_home_that_is_read_only() -> None:
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o555)
        ended = subprocess.run([sys.executable, "-c", READ_ONLY, home], capture_output=True, text=True, check=False)
        assert ended.stdout == (
            f"{home} can't be written (permission denied), and the state lives there; "
            "set TIERGATE_HOME to a folder that can.\n"
        )


def test_a_broken_configuration(tmp_path: Path, start: Start) -> None:
    (tmp_path / "tiergate.toml").write_text("[gateway]\nprot = 1\n[stor]")
    gateway = start(tmp_path / "home")
    assert gateway.said() == (
        "tiergate: tiergate.toml: gateway.prot is not a setting; did you mean port?\n"
        "tiergate: tiergate.toml: stor is not a setting; did you mean store?\n"
    )
    assert gateway.ended() == 2
    assert not gateway.home.exists()


def test_an_application_that_refuses_to_be_built(tmp_path: Path, start: Start) -> None:
    gateway = start(tmp_path / "home", app="probe_app:refuse")
    assert gateway.said() == "tiergate: system_apis/tax/v1/contract.py: say who owns it.\n"
    assert gateway.ended() == 1
    assert "TypeError" in (gateway.home / "log" / "gateway.log").read_text()
    assert running(str(gateway.home)) == []


def test_workers_that_keep_crashing(tmp_path: Path, start: Start) -> None:
    gateway = start(tmp_path / "home", app="probe_app:crash")
    *losses, verdict = gateway.said().splitlines()
    assert losses == ["  A worker ended (exit code 7) and is replaced."] * 4
    assert verdict == (
        "tiergate: A worker ended 5 times in a row right after its start (exit code 7); "
        f"see {gateway.home / 'log' / 'gateway.log'}."
    )
    assert gateway.ended() == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("serve", "--port", "eight"), "'eight' is not a valid integer"),
        (("serve", "--tiers", "sytem"), 'TIERGATE_TIERS must be system or process or experience, not "sytem".'),
        (("serv",), "There is no command 'serv'. Did you mean serve?"),
        (("xyz",), "There is no command 'xyz'. Commands: "),
    ],
)
def test_wrong_arguments_say_what_to_do(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "from gateway.cli import main; main()", *options],
        capture_output=True, text=True, check=False, cwd=tmp_path, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    assert said in ended.stderr
    assert ended.returncode == 2


def test_an_address_of_another_machine() -> None:
    with pytest.raises(StartRefused, match=r"192\.0\.2\.1 is not an address of this machine"):
        listen("192.0.2.1", 0)


def test_an_address_that_is_none() -> None:
    with pytest.raises(StartRefused, match="is not an address that can be listened on"):
        listen("a..b", 0)


def test_a_home_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartRefused, match="is not a folder"):
        Home(tmp_path / "file" / "home")
