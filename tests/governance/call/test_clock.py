"""The clocks: aware, monotonic, and moved by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from governance.call import Clock, ManualClock, SystemClock


@pytest.mark.parametrize("clock", [SystemClock(), ManualClock()])
def test_time_is_utc_and_does_not_go_back(clock: Clock) -> None:
    assert clock.now().tzinfo is UTC
    first, second = clock.monotonic(), clock.monotonic()
    assert second >= first


def test_a_manual_clock_moves_when_it_is_told() -> None:
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
    assert clock.now() == clock.now() == datetime(2026, 3, 1, tzinfo=UTC)
    clock.advance(90)
    assert (clock.now() - datetime(2026, 3, 1, tzinfo=UTC), clock.monotonic()) == (timedelta(seconds=90), 90.0)
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
