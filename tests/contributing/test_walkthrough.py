"""CONTRIBUTING.md, followed to the letter: its files are written, its commands run, in an empty folder.

Only the two ports of the text are moved, so that tests can run side by side.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text()
FILE = re.compile(r"<!-- file: (?P<path>\S+) -->\n```\w+\n(?P<content>.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
MARK = "--- next ---"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each command of the walk printed."""
    folder = tmp_path_factory.mktemp("walk")
    ports = {"8000": str(free_port()), "9000": str(free_port())}
    text = re.sub(r"\b(8000|9000)\b", lambda match: ports[match[0]], TEXT)
    for found in FILE.finditer(text):
        path = folder / "acme" / found["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found["content"])
    commands = [
        line.removeprefix("$ ") for block in CONSOLE.findall(text) for line in block.splitlines() if line[:2] == "$ "
    ]
    # the folder is made by the walk itself; here its files are in it already
    commands = [command.replace("mkdir acme", "mkdir -p acme") for command in commands]
    script = "\n".join(f"{command}\necho '{MARK}'" for command in commands)
    environ = {**os.environ, "TIERGATE_PORT": ports["8000"]}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", script], cwd=folder, env=environ, capture_output=True, text=True, timeout=150
    )
    log = folder / "acme" / "var" / "log" / "gateway.log"
    assert done.returncode == 0, done.stderr + (log.read_text() if log.exists() else "")
    answers = [part.strip("\n") for part in done.stdout.split(MARK + "\n")]
    result = dict(zip(commands, answers, strict=False))
    result["export-prices.json"] = (folder / "acme" / "export-prices.json").read_text()
    return result


def answer(said: dict[str, str], *words: str) -> str:
    found = [text for command, text in said.items() if all(word in command for word in words)]
    assert len(found) == 1, words
    return found[0]


@pytest.mark.timeout(300)
def test_the_new_apis_are_listed_with_owner_and_callers(said: dict[str, str]) -> None:
    rows = [line.split() for line in answer(said, "tiergate apis").splitlines()]
    rates = next(row for row in rows if row[:2] == ["system", "rates"])
    assert rates[2:] == ["v1", "current", "Treasury", "1", "export_prices.v1"]
    assert any(row[:2] == ["process", "export_prices"] for row in rows)


@pytest.mark.timeout(300)
def test_the_process_composes_erp_and_the_new_system(said: dict[str, str]) -> None:
    price = json.loads(answer(said, "accounts/ACME/products", "curl"))
    assert price["account_id"] == "ACME"
    assert price["price"]["currency"] == "USD"
    assert price["price"]["amount_minor"] > 0


@pytest.mark.timeout(300)
def test_the_new_system_is_served_and_governed(said: dict[str, str]) -> None:
    assert json.loads(answer(said, "rates/EUR/GBP", "TOKEN")) == {"base": "EUR", "quote": "GBP", "rate_ppm": 841_700}
    open_door = [text for command, text in said.items() if "rates/EUR/GBP" in command and "TOKEN" not in command]
    assert json.loads(open_door[0])["status"] == 401
    assert json.loads(answer(said, "accounts/GLOBEX"))["type"] == "/problems/not-found"


@pytest.mark.timeout(300)
def test_the_new_process_is_documented(said: dict[str, str]) -> None:
    document = json.loads(said["export-prices.json"])
    paths = [path for path in document["paths"] if path.endswith("/accounts/{account_id}/products/{sku}")]
    assert len(paths) == 1
    get = document["paths"][paths[0]]["get"]
    assert get["operationId"] == "export_prices.v1.get_export_price"
    assert {"200", "400", "401", "403", "404", "429"} <= set(get["responses"])
