"""The embedded mailbox under the suite of its port, and over restarts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.call import ManualClock
from system_apis.embedded import RecordFiles
from system_apis.notifications.connectors.embedded.connector import Connector, Settings
from tests.system_apis.notifications.conformance import OUTGOING, NotificationsPortConformance

pytestmark = pytest.mark.anyio


@pytest.fixture
def files(tmp_path: Path) -> Iterator[RecordFiles]:
    files = RecordFiles(tmp_path)
    yield files
    files.close()


@pytest.fixture
def port(files: RecordFiles) -> Connector:
    return Connector(Settings(), files, ManualClock())


class TestConformance(NotificationsPortConformance):
    """The embedded connector under the suite of its port."""


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    files = RecordFiles(tmp_path)
    sent = await Connector(Settings(signature="The desk"), files, ManualClock()).send_message(OUTGOING, "r-1")
    files.close()
    files = RecordFiles(tmp_path)
    again = Connector(Settings(signature="Another desk"), files, ManualClock())
    assert await again.send_message(OUTGOING, "r-1") == sent, "what was sent reads the same for ever"
    assert sent.text.endswith("The desk\n")
    files.close()
