"""A process with nothing to do hardly asks its database anything."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flow_story import flow, step, telling
from sqlalchemy import event

TABLE = flow(step("reserve"), step("ship", pivot=True))


def test_the_engine_claims_nothing_from_an_empty_queue(home: Path) -> None:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    with telling(home, TABLE) as story:
        story.when_accepted("c-1")
        story.expect("c-1", stage="completed", standing={"reserve", "ship"})
        event.listen(sa.Engine, "before_cursor_execute", note)
        try:
            story.run(_looks(statements, 5))
        finally:
            event.remove(sa.Engine, "before_cursor_execute", note)
        assert not [statement for statement in statements if "application_versions" in statement]
        story.when_accepted("c-2")
        story.expect("c-2", stage="completed")


async def _looks(statements: list[str], times: int) -> None:
    """Until the engine has looked at its queue this often."""
    async with asyncio.timeout(30):
        while sum("EXISTS" in statement and "queue_name" in statement for statement in statements) < times:
            await asyncio.sleep(0.005)
