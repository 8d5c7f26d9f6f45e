"""What people did about exceptions goes with what was done for their process, and not while either is under way."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from process_apis.exceptions.tables import exception_deeds
from tests.journeys.gateways import eventually
from tests.process_apis.exceptions.errands import Town, town

AT_ONCE_OLD = 1e-9
"""So many days after its end a process is old in these tests."""


def deeds(world: Town, exception_id: str) -> list[str]:
    query = sa.select(exception_deeds.c.deed).where(exception_deeds.c.exception_id == exception_id)
    return world.run(world.flows.read(lambda connection: list(connection.execute(query).scalars())))


def test_deeds_are_forgotten_with_their_process(tmp_path: Path) -> None:
    with town(tmp_path, tidy_s=0.02, timeline_days=AT_ONCE_OLD) as world:
        waiting = world.stuck(world.send("bring"), "bring")
        body = {"account_id": waiting["account_id"], "assignee": "jana"}
        path = f"/exceptions/{waiting['exception_id']}/assignee"
        assert world.put("platform", path, body, waiting["revision"]).status_code == 200
        errand = world.send("bring")
        settled = world.stuck(errand, "bring")
        world.errands.failing.clear()
        assert world.settle(settled, "retry").status_code == 200
        world.ended(errand, "completed")
        eventually("its deeds are forgotten", lambda: deeds(world, settled["exception_id"]) == [])
        assert deeds(world, waiting["exception_id"]) == ["assigned"]
        kept = world.get("platform", f"/process/exceptions/v1/exceptions/{settled['exception_id']}")
        assert (kept["status"], kept["choice"], kept["deeds"]) == ("settled", "retry", [])
