"""Maintenance windows: weekly and once, over midnight, in a time zone with its changes."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from governance.egress.maintenance import Window, maintenance_left_s
from governance.egress.settings import VendorSettings


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


NIGHTLY = Window(begin="22:00", until="02:00")
SUNDAY = Window(begin="01:00", until="05:00", days=("sun",), zone="Europe/Berlin")
ONCE = Window(begin="2026-05-01T20:00:00Z", until="2026-05-01T22:30:00+00:00")


@pytest.mark.parametrize(
    ("window", "now", "left_s"),
    [
        (NIGHTLY, "2026-01-05T21:59:59Z", 0),
        (NIGHTLY, "2026-01-05T22:00:00Z", 4 * 3600),
        (NIGHTLY, "2026-01-06T01:59:59Z", 1),
        (NIGHTLY, "2026-01-06T02:00:00Z", 0),
        (SUNDAY, "2026-01-04T00:00:00Z", 4 * 3600),  # 01:00 in Berlin
        (SUNDAY, "2026-01-05T00:00:00Z", 0),  # a Monday
        (SUNDAY, "2026-03-29T00:30:00Z", 2.5 * 3600),  # the hour from 2 to 3 is left out
        (SUNDAY, "2026-10-25T00:30:00Z", 3.5 * 3600),  # and comes twice
        (ONCE, "2026-05-01T19:59:59Z", 0),
        (ONCE, "2026-05-01T21:30:00Z", 3600),
        (ONCE, "2026-05-01T22:30:00Z", 0),
        (ONCE, "2027-05-01T21:30:00Z", 0),
    ],
)
def test_a_window_is_open_until_its_end(window: Window, now: str, left_s: float) -> None:
    assert window.ends_after_s(at(now)) == left_s


def test_windows_that_touch_are_one() -> None:
    after = Window(begin="02:00", until="03:00")
    assert maintenance_left_s((after, NIGHTLY), at("2026-01-06T01:00:00Z")) == 2 * 3600
    assert maintenance_left_s((), at("2026-01-06T01:00:00Z")) == 0
    always = Window(begin="00:00", until="00:00")
    assert maintenance_left_s((always,), at("2026-01-06T01:00:00Z")) > 0


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"from": "2026-05-01T22:00:00Z", "until": "2026-05-01T20:00:00Z"}, "before it begins"),
        ({"from": "25:00", "until": "26:00"}, "neither a time of day nor an instant"),
        ({"from": "2026-05-01T22:00:00", "until": "2026-05-02T20:00:00"}, "no offset"),
        ({"from": "02:00", "until": "04:00", "zone": "Mars/Base"}, "no time zone"),
        ({"from": "02:00", "until": "04:00", "zone": "../../etc/passwd"}, "no time zone"),
        ({"from": "02:00", "until": "04:00", "days": ["someday"]}, "Invalid enum value"),
    ],
)
def test_what_is_no_window_is_refused_with_a_reason(table: dict[str, object], sentence: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=sentence):
        msgspec.convert({"maintenance": [table]}, VendorSettings, strict=True)
