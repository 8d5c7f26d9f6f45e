"""The pure rules of a shipment's progress."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from system_apis.canonical.iso import COUNTRIES
from system_apis.logistics.connectors.embedded.progress import (
    Progress,
    Route,
    advance,
    choose_carrier,
    delay,
    tracking_number,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
ROUTE = Route(seq=7, warehouse="HAM", city="Wien", country="AT")
ORDER = ("released", "picked", "dispatched", "delayed", "delivered")


def released(*due_s: float) -> Progress:
    due = tuple(START + timedelta(seconds=seconds) for seconds in due_s)
    return Progress(status="released", due=due, last_event_at=START)


@given(
    st.lists(st.floats(0, 100), min_size=3, max_size=3).map(sorted), st.lists(st.floats(0, 120), max_size=8).map(sorted)
)
def test_looking_in_between_changes_nothing_and_nothing_goes_back(due_s: list[float], looks_s: list[float]) -> None:
    looked = released(*due_s)
    for seconds in looks_s:
        before = looked
        looked = advance(looked, ROUTE, START + timedelta(seconds=seconds))
        assert ORDER.index(looked.status) >= ORDER.index(before.status)
    end = START + timedelta(seconds=200)
    assert advance(looked, ROUTE, end) == advance(released(*due_s), ROUTE, end)


@given(st.integers(0, 6), st.integers(-2, 9))
def test_a_delay_never_hastens_and_keeps_events_in_order(after_s: int, days: int) -> None:
    now = START + timedelta(seconds=after_s)
    before = advance(released(1, 2, 5), ROUTE, now)
    if before.status == "delivered":
        return
    after = delay(before, ROUTE, date(2026, 1, 2) + timedelta(days=days), "", now)
    assert all(new >= old for new, old in zip(after.due, before.due, strict=True))
    done = advance(after, ROUTE, START + timedelta(days=30))
    assert done.status == "delivered"
    assert [event.at for event in done.events] == sorted(event.at for event in done.events)


def test_every_country_has_a_carrier() -> None:
    assert all(choose_carrier(country) for country in COUNTRIES)
    assert choose_carrier("AT") == "Alpine Express"


@pytest.mark.parametrize(("seq", "number"), [(1, "TG0000000017"), (7, "TG0000000079"), (123456789, "TG1234567895")])
def test_tracking_numbers_carry_a_check_digit(seq: int, number: str) -> None:
    assert tracking_number(seq) == number
