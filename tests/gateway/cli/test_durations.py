"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.cli.durations import duration, moment, until

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "0 ms"), (999, "999 ms"), (1_000, "1.0 s"), (59_940, "59.9 s"), (60_000, "1 min 00 s"),
        (245_000, "4 min 05 s"), (3_600_000, "1 h 00 min"), (12_000_000, "3 h 20 min"), (187_200_000, "2 d 4 h"),
    ],
)  # fmt: skip
def test_a_duration_is_as_exact_as_it_matters(milliseconds: int, words: str) -> None:
    assert duration(milliseconds) == words


def test_an_instant_is_told_in_utc_and_from_now() -> None:
    assert moment("2026-11-21T11:00:00+01:00") == "2026-11-21 10:00:00"
    assert moment(None) == "–"
    assert until((NOW + timedelta(minutes=90)).isoformat(), NOW) == "in 1 h 30 min"
    assert until((NOW - timedelta(seconds=5)).isoformat(), NOW) == "5.0 s ago"
