"""Homes whose database has every table of the processes before they start: migrating takes longer than most tests."""

from __future__ import annotations

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from pathlib import Path

import process_apis
from governance.call import SystemClock
from process_apis.flow import FlowRuntime, FlowSettings

FILE = "tiergate.sqlite"


def prepare(home: Path) -> None:
    """Put the tables into a new home; one that was used is left as it is."""
    home.mkdir(parents=True, exist_ok=True)
    if not (home / FILE).exists():
        (home / FILE).write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    """The database of a home that was started and stopped once, with real migrations."""
    with tempfile.TemporaryDirectory(prefix="tiergate-test-") as folder:
        flows = FlowRuntime(FlowSettings(home=Path(folder), run=False), SystemClock())
        for file in sorted(Path(process_apis.__path__[0]).glob("*/migration.py")):
            flows.adopt(import_module(f"process_apis.{file.parent.name}.migration").MIGRATIONS)

        async def once() -> None:
            await flows.start()
            await flows.stop()

        with ThreadPoolExecutor(1) as apart:  # whoever asks may have a loop already
            apart.submit(asyncio.run, once()).result()
        assert not list(Path(folder).glob(f"{FILE}-*")), "something is not in the file yet"
        return (Path(folder) / FILE).read_bytes()
