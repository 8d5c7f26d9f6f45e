"""A process of a story that is put to sleep in the middle of a step: ``python sleeping.py HOME URL``.

Its first step says that it was reached, waits until it may go on, leaves its mark, and gives the case its name.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from flow_story import Case, Ledger, flow, step, telling
from msgspec.structs import replace

from process_apis.flow.run import Run
from process_apis.flow.table import Flow, Step

REACHED, GO, MARKS = "reached", "go", "marks"


def table_of(home: Path, name: str, *, waits: bool) -> Flow[Case]:
    """The flow as the process ``name`` does it."""

    async def reserve(_: Ledger, run: Run[Case]) -> Case:
        (home / REACHED).touch()
        while waits and not (home / GO).exists():
            await asyncio.sleep(0.01)
        with (home / MARKS).open("a") as marks:
            marks.write(f"{name}\n")
        return replace(run.state, left=name)

    return flow(Step(name="reserve", do=reserve), step("ship", pivot=True))


def run_until_killed(home: Path, url: str) -> None:
    """Accept a case and carry it on."""
    with telling(home, table_of(home, "first", waits=True), url=url) as story:
        story.when_accepted("c-1")
        story.run(asyncio.Event().wait())


if __name__ == "__main__":
    run_until_killed(Path(sys.argv[1]), sys.argv[2])
