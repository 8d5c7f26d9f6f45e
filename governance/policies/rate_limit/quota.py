"""A quota as a value, and the calendar that it is counted by.

A quota is what a client may spend in one calendar day or month of a stated time zone. Periods begin
at local midnight and on the first of the month, whatever daylight saving does to their length: where
a midnight is skipped the day begins at the jump, where it comes twice at the first. Standard: the
IANA time zone database, as RFC 6557 maintains it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from governance.contract.operation import Tier

Period = Literal["day", "month"]

MOST = 10**12
"""The largest amount; far above what a year can bring, far below where doubles lose count."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Quota(Struct, frozen=True):
    """``amount`` units of cost in each ``period`` of ``zone``; on one tier, or on all of them together."""

    amount: int
    period: Period
    zone: str = "UTC"
    tier: Tier | Literal[""] = ""

    def __post_init__(self) -> None:
        if not 1 <= self.amount <= MOST:
            raise ValueError(f"a quota is from 1 to {MOST}")
        if self.period not in ("day", "month"):
            raise ValueError(f"a quota is for a day or a month, not for {self.period!r}")
        time_zone(self.zone)

    @property
    def name(self) -> str:
        """What headers call it: ``day``, or ``experience.day`` on one tier."""
        return f"{self.tier}.{self.period}" if self.tier else self.period


class Window(Struct, frozen=True):
    """One period and the end of the one after it, in µs since 1970."""

    start_us: int
    end_us: int
    next_end_us: int

    @property
    def length_s(self) -> int:
        """Whole seconds from start to end: 82,800 to 90,000 for a day."""
        return (self.end_us - self.start_us) // 1_000_000


@lru_cache(maxsize=1024)
def time_zone(name: str) -> ZoneInfo:
    """The zone of this IANA name.

    Raises:
        ValueError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no IANA time zone: write one such as 'UTC' or 'Europe/Berlin'") from error


def window_at(period: Period, zone: str, now_us: int) -> Window:
    """The period that holds the instant ``now_us`` (µs since 1970)."""
    today = (EPOCH + now_us * MICROSECOND).astimezone(time_zone(zone)).date()
    first = today if period == "day" else today.replace(day=1)
    following = _after(period, first)
    return Window(*(_midnight_us(day, zone) for day in (first, following, _after(period, following))))


def _after(period: Period, first: date) -> date:
    return first + timedelta(days=1) if period == "day" else (first + timedelta(days=31)).replace(day=1)


def _midnight_us(day: date, zone: str) -> int:
    """Midnight read with the offset before a jump (fold 0), which is the jump itself where midnight is skipped."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=time_zone(zone))
    return (midnight.astimezone(UTC) - EPOCH) // MICROSECOND
