"""A tenure that is stopped leaves nothing behind that still looks after the place."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar

import pytest
import sqlalchemy as sa

from governance.call import Foreground, SystemClock
from governance.database import close_engine, open_engine
from process_apis.flow import FlowSettings
from process_apis.flow.host import Host
from process_apis.flow.tenure import Tenure

pytestmark = pytest.mark.anyio


class Slow:
    """A place that others have, and a look at it that takes its time from the second on."""

    shared: ClassVar[bool] = True

    def __init__(self) -> None:
        self.looking, self.go = threading.Event(), threading.Event()
        self._looks = 0

    def take(self) -> str | None:
        self._looks += 1
        if self._looks > 1:
            self.looking.set()
            assert self.go.wait(20)
            self.looking.clear()
        return None

    def fallen(self, executors: Iterable[str]) -> list[str]:
        return []

    def settled(self, executors: Iterable[str]) -> None:
        """Nothing to give back."""

    def release(self) -> None:
        """Nothing to give up."""


async def test_a_stop_waits_for_a_look_that_is_under_way(tmp_path: Path) -> None:
    engine, clock, settings, place = open_engine(tmp_path, "", 2), SystemClock(), FlowSettings(home=tmp_path), Slow()
    host = Host(engine, clock, settings, lambda _: None, Foreground())

    async def write(work: Callable[[sa.Connection], list[str]]) -> list[str]:
        return []

    tenure = Tenure(place, host, settings, clock, write)
    await tenure.start([])
    assert await asyncio.to_thread(place.looking.wait, 20)
    stopping = asyncio.create_task(tenure.stop())
    done, _ = await asyncio.wait({stopping}, timeout=0.05)
    assert not done
    place.go.set()
    await stopping
    assert not place.looking.is_set()
    close_engine(engine)
