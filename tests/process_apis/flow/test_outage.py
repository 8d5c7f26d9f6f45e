"""The database goes away just when a flow is taken up: the flow waits for it, and is not given up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flow_story import Case, CaseBook, flow, step, telling
from msgspec.structs import replace
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from process_apis.flow.tables import flows


class Restarting(CaseBook):
    """A book whose database goes away the first times that it is read."""

    def __init__(self, times: int) -> None:
        self.away = times

    def load(self, connection: sa.Connection, flow_id: str) -> Case:
        if self.away:
            self.away -= 1
            raise OperationalError("SELECT", {}, ConnectionError("terminating connection"))
        return super().load(connection, flow_id)


def test_a_flow_that_can_not_be_read_is_read_again(home: Path) -> None:
    book = Restarting(3)
    table = replace(flow(step("reserve"), step("ship", pivot=True)), book=book)
    with telling(home, table) as story:
        story.when_accepted("c-1")
        story.expect("c-1", status="accepted", standing={"reserve", "ship"})
    assert book.away == 0


def test_a_suspect_waits_for_the_database_that_is_to_know_of_its_trial(home: Path) -> None:
    """A flow under which processes died twice is marked while it goes on; the database is away just then."""
    table = flow(step("reserve"), step("ship", pivot=True))
    failed: list[str] = []

    def away(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE flows SET trials=") and len(failed) < 3:
            failed.append(statement)
            raise OperationalError(statement, {}, Exception("the database is away"))

    with telling(home, table, drain_s=0.0) as story:
        story.given_stop_at("reserve")
        story.when_accepted("c-1")
        story.when_reached("reserve")
        story.run(story.flows.write(lambda connection: connection.execute(sa.update(flows).values(crashes=1)) and None))
        story.stop()
        del story.ledger.reached["reserve"]
        event.listen(sa.Engine, "before_cursor_execute", away)
        try:
            story.start()
            story.expect("c-1", stage="completed", status="accepted", standing={"reserve", "ship"})
        finally:
            event.remove(sa.Engine, "before_cursor_execute", away)
        assert len(failed) == 3


def test_a_stop_in_order_is_no_death_of_the_flow_on_trial(home: Path) -> None:
    table = flow(step("reserve"), step("ship", pivot=True))
    with telling(home, table, drain_s=0.0) as story:
        story.given_stop_at("reserve")
        story.when_accepted("c-1")
        story.when_reached("reserve")
        story.run(story.flows.write(lambda connection: connection.execute(sa.update(flows).values(crashes=1)) and None))
        for _ in range(4):  # more often than a flow may kill its process
            story.stop()
            story.ledger.reached["reserve"].clear()
            story.start()
            story.when_reached("reserve")
            assert story.row("c-1").trials == 1, "it is on trial"
        story.go_on("reserve")
        story.expect("c-1", stage="completed", exceptions=[])
