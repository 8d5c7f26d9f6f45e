"""The database goes away just when a flow is taken up: the flow waits for it, and is not given up."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from flow_story import Case, CaseBook, flow, step, telling
from msgspec.structs import replace
from sqlalchemy.exc import OperationalError


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
