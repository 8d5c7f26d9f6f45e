"""The session that ``tiergate serve`` prints works as it is printed, on all tiers with embedded parts."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from urllib.request import urlopen

import pytest

from tests.gateway.serving.conftest import Start
from tests.gateway.serving.gateway_process import BOUND_S, Gateway, eventually

APP = "gateway.app:create_app"
WARM_START_IMPORTS = 6.0
"""Start and stop of all processes against one import of the large libraries: 3 to 4 today."""
ATTEMPTS = 4


def session(gateway: Gateway) -> str:
    """The lines to copy and paste."""
    begin = next(at for at, line in enumerate(gateway.banner) if "copy and paste" in line)
    return "".join(gateway.banner[begin + 1 : -1])


@pytest.mark.skipif(shutil.which("curl") is None, reason="the session is written for curl")
def test_the_printed_session_leads_from_token_to_invoice(tmp_path: Path, start: Start) -> None:
    gateway = start(tmp_path / "home", app=APP).ready()
    command = ["bash", "-euo", "pipefail", "-c", session(gateway)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=40)
    documents = [json.loads(document) for document in ended.stdout.replace("}\n{", "}\n\0{").split("\0")]
    products, order, invoices = documents
    assert len(products["items"]) == 3
    assert order["status"] == "completed"
    assert [invoice["invoice_id"] for invoice in invoices["items"]] == order["invoice_ids"]
    assert gateway.stop() == 0


def worked_s(work: Callable[[], object]) -> float:
    """The seconds of CPU that processes spent which ``work`` started and saw end."""
    before = getrusage(RUSAGE_CHILDREN)
    work()
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_a_warm_start_is_a_few_times_the_work_of_its_imports(tmp_path: Path, start: Start) -> None:
    """Measured against imports of the same moment: a busy or slow machine makes both take longer, and not one."""
    home = tmp_path / "home"

    def served() -> None:
        assert start(home, app=APP).ready().stop() == 0

    def imported() -> None:
        subprocess.run([sys.executable, "-c", "import litestar, dbos, sqlalchemy"], check=True, timeout=BOUND_S)

    served()
    attempts = (worked_s(served) / worked_s(imported) for _ in range(ATTEMPTS))
    ratios = list(takewhile(lambda ratio: ratio >= WARM_START_IMPORTS, attempts))
    assert len(ratios) < ATTEMPTS, ratios


def test_every_address_in_the_banner_answers(tmp_path: Path, start: Start) -> None:
    gateway = start(tmp_path / "home", app=APP).ready()
    lines = gateway.banner[: next(at for at, line in enumerate(gateway.banner) if "Home" in line)]
    addresses = [word for line in lines for word in line.split() if word.startswith(f"{gateway.url}/")]
    assert len(addresses) >= 5
    for address in addresses:
        if not address.endswith("/oauth/token"):
            with urlopen(address, timeout=40) as answer:
                assert answer.status == 200


def test_kill_of_everything_is_survived_by_an_accepted_order(tmp_path: Path, start: Start) -> None:
    """The order was accepted, so it is completed by the next start."""
    home = tmp_path / "home"
    gateway = start(home, app=APP).ready()
    lines = session(gateway).replace("Prefer: wait=5", "Prefer: wait=0").split("\n\n")
    ordered = subprocess.run(
        ["bash", "-c", "\n".join([*lines[:1], lines[2]])], capture_output=True, text=True, check=True
    )
    assert json.loads(ordered.stderr)["status"] != "completed"
    gateway.process.kill()
    again = start(home, app=APP, port=gateway.port).ready()
    look = "\n".join([*lines[:1], f"ORDER={json.loads(ordered.stderr)['order_id']}", lines[3]])

    def completed() -> bool:
        shown = subprocess.run(["bash", "-c", look], capture_output=True, text=True, check=True)
        return json.loads(shown.stdout)["status"] == "completed"

    eventually(completed)
    assert again.stop() == 0
