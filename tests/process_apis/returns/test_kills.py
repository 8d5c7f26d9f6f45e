"""A return whose process is killed around a write goes on where it was: one credit, one refund, stock counted once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from governance.call import SystemClock
from system_apis.embedded import RecordFiles
from system_apis.erp.connectors.embedded import connector as erp
from system_apis.erp.port import DocumentFilter
from system_apis.notifications.connectors.embedded import connector as notifications
from system_apis.notifications.port import MessageFilter
from system_apis.payments.connectors.embedded import connector as payments
from tests.process_apis.returns.returns_world import BEARING, eur

ROOT = Path(__file__).parents[3]
PLACES = [
    f"{when}:{operation}"
    for operation in ("create_return", "inspect_return", "credit_return", "refund", "send_message")
    for when in ("before", "after")
]
SHORT = ("after:refund",)


def run(home: Path, place: str) -> int:
    command = [sys.executable, "-m", "tests.process_apis.returns.returns_server", str(home), place]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=150).returncode


@pytest.mark.parametrize(
    "place", [pytest.param(place, marks=() if place in SHORT else pytest.mark.proof) for place in PLACES]
)
def test_a_kill_loses_and_doubles_nothing(tmp_path: Path, place: str) -> None:
    before = asyncio.run(stock(tmp_path))
    assert run(tmp_path, place) == -signal.SIGKILL
    assert run(tmp_path, place) == 0
    asyncio.run(judged(tmp_path, before))


async def stock(home: Path) -> int:
    files = RecordFiles(home / "systems")
    port = erp.Connector(erp.Settings(), files, SystemClock())
    await port.start()
    level = await port.get_availability(BEARING)
    await port.stop()
    files.close()
    return sum(one.on_hand for one in level.positions)


async def judged(home: Path, before: int) -> None:
    files = RecordFiles(home / "systems")
    port = erp.Connector(erp.Settings(), files, SystemClock())
    await port.start()
    try:
        ((_, made),) = await port.list_returns(DocumentFilter(), 0, 10)
        assert (made.status, made.credit, made.lines[0].quantity) == ("credited", eur(2_380), 2)
        ((_, invoice),) = await port.list_invoices(DocumentFilter(), 0, 10)
        assert invoice.credited == eur(2_380)
        assert (await port.ledger()).discrepancies == ()
        level = await port.get_availability(BEARING)
        assert sum(one.on_hand for one in level.positions) == before + 2
        (payment,) = await payments.Connector(payments.Settings(), files, SystemClock()).ledger()
        assert payment.refunded_minor == 2_380
        mailbox = notifications.Connector(notifications.Settings(), files, SystemClock())
        told = [message.template for _, message in await mailbox.list_messages(MessageFilter(), 0, 10)]
        assert told == ["return_authorised", "return_credited"]
    finally:
        await port.stop()
        files.close()
