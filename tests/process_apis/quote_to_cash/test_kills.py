"""A process dies at the end of one step after another; there is one order, one credit memo, one payment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from process_apis.quote_to_cash.flow import QUOTE_TO_CASH

SCRIPT = Path(__file__).with_name("dying_quotes.py")
ROOT = Path(__file__).parents[3]
DIED = 9
REST = ("approve", "tell_unfulfilled", "remind_2", "remind_3", "await_payment_3", "await_last_payment", "hold_account")
"""Steps that a quote which is paid after its first reminder does not have."""
EVERY = tuple(step.name for step in QUOTE_TO_CASH.rows if step.name not in (*REST, "collect"))


def ran(home: Path, step: str) -> tuple[int, str]:
    """How one more process ended, and what it printed."""
    command = [sys.executable, str(SCRIPT), str(home), step]
    done = subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, DIED), done.stderr[-2_000:]
    return done.returncode, done.stdout


def killed_after(home: Path, *steps: str) -> None:
    """Kill a process after each of these steps, and look at everything in the end."""
    assert [ran(home, step)[0] for step in steps] == [DIED] * len(steps)
    code, printed = ran(home, "-")
    assert code == 0
    assert json.loads(printed) == {
        "quotes": 1,
        "orders": 1,
        "credits": 1,
        "payments": 1,
        "letters": ["payment_reminder", "quote_sent"],
        "told": ["invoice_overdue", "quote_closed"],
        "events": ["quote.sent", "quote.accepted", "quote.converted"],
        "overdue": 1,
        "discrepancies": [],
    }


@pytest.mark.timeout(300)
def test_a_quote_survives_kills_where_it_becomes_an_order(tmp_path: Path) -> None:
    killed_after(tmp_path, "place_order")


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_a_quote_survives_a_kill_after_every_step(tmp_path: Path) -> None:
    killed_after(tmp_path, *EVERY)
