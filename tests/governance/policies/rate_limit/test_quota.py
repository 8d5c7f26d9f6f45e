"""Quotas as values, and calendars with every trick that clocks play."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.policies.rate_limit import Quota
from governance.policies.rate_limit.quota import Period, window_at

ZONES = sorted(available_timezones())


def micros(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("period", "zone", "now", "start", "end"),
    [
        ("day", "UTC", "2026-11-21T07:00:00+00:00", "2026-11-21T00:00:00+00:00", "2026-11-22T00:00:00+00:00"),
        ("day", "Asia/Kolkata", "2026-11-21T19:00:00+00:00", "2026-11-21T18:30:00+00:00", "2026-11-22T18:30:00+00:00"),
        # 23 and 25 hours in Berlin
        ("day", "Europe/Berlin", "2026-03-29T12:00:00+00:00", "2026-03-28T23:00:00+00:00", "2026-03-29T22:00:00+00:00"),
        ("day", "Europe/Berlin", "2026-10-25T12:00:00+00:00", "2026-10-24T22:00:00+00:00", "2026-10-25T23:00:00+00:00"),
        # Santiago skips the midnight of 2026-09-06, Havana has that of 2026-11-01 twice
        ("day", "America/Santiago", "2026-09-06T12:00:00+00:00", "2026-09-06T04:00:00+00:00", "2026-09-07T03:00:00+00:00"),
        ("day", "America/Havana", "2026-11-01T12:00:00+00:00", "2026-11-01T04:00:00+00:00", "2026-11-02T05:00:00+00:00"),
        # Apia had no 2011-12-30
        ("day", "Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-29T10:00:00+00:00", "2011-12-30T10:00:00+00:00"),
        ("day", "Pacific/Apia", "2011-12-31T12:00:00+14:00", "2011-12-30T10:00:00+00:00", "2011-12-31T10:00:00+00:00"),
        ("month", "UTC", "2028-02-29T23:59:59+00:00", "2028-02-01T00:00:00+00:00", "2028-03-01T00:00:00+00:00"),
        ("month", "Europe/Berlin", "2026-12-31T23:30:00+00:00", "2026-12-31T23:00:00+00:00", "2027-01-31T23:00:00+00:00"),
        ("month", "Europe/Berlin", "2026-03-15T00:00:00+00:00", "2026-02-28T23:00:00+00:00", "2026-03-31T22:00:00+00:00"),
    ],
)  # fmt: skip
def test_periods_begin_at_local_midnight(period: Period, zone: str, now: str, start: str, end: str) -> None:
    window = window_at(period, zone, micros(now))
    assert (window.start_us, window.end_us) == (micros(start), micros(end))


@given(
    zone=st.sampled_from(ZONES),
    period=st.sampled_from(("day", "month")),
    seconds=st.integers(int(datetime(1990, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2060, 1, 1, tzinfo=UTC).timestamp())),
)  # fmt: skip
def test_periods_follow_each_other_without_gap_or_overlap(zone: str, period: Period, seconds: int) -> None:
    window = window_at(period, zone, seconds * 1_000_000)
    assert window.start_us <= seconds * 1_000_000 < window.end_us < window.next_end_us
    following = window_at(period, zone, window.end_us)
    assert (following.start_us, following.end_us) == (window.end_us, window.next_end_us)
    assert window_at(period, zone, window.end_us - 1) == window
    local = datetime.fromtimestamp(window.end_us / 1_000_000, ZoneInfo(zone))
    assert period == "day" or local.day == 1


@pytest.mark.parametrize(
    ("quota", "says"),
    [
        ({"amount": 0, "period": "day"}, "from 1"),
        ({"amount": 10**13, "period": "day"}, "from 1"),
        ({"amount": 1, "period": "week"}, "a day or a month"),
        ({"amount": 1, "period": "day", "zone": "Berlin"}, "no IANA time zone"),
        ({"amount": 1, "period": "day", "zone": "../etc/passwd"}, "no IANA time zone"),
        ({"amount": 1, "period": "day", "zone": ""}, "no IANA time zone"),
    ],
)
def test_what_is_none(quota: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Quota(**quota)  # type: ignore[arg-type] - wrong on purpose


def test_names() -> None:
    assert Quota(10, "day").name == "day"
    assert Quota(10, "month", "Europe/Berlin", "experience").name == "experience.month"
