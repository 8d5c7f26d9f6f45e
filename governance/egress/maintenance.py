"""Maintenance windows: times at which a vendor is not asked at all.

A window is weekly (``days``, ``from``, ``until`` as times of day in ``zone``; it may go on over
midnight) or once (``from``, ``until`` as instants, RFC 3339). While one is open reads serve what is
kept, within its stale time; everything else is refused with the time until the window's end, so
that callers come back then and flows wait.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct, field

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")

Moment = Annotated[str, Meta(min_length=1, description='a time of day such as "02:00", or an RFC 3339 instant')]


class Window(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of ``maintenance``."""

    begin: Moment = field(name="from")
    until: Moment
    days: tuple[Day, ...] = DAYS
    """The days on which a weekly window begins."""
    zone: str = "UTC"
    """The time zone of times of day, such as Europe/Berlin."""

    def check(self) -> None:
        """See that the window can be.

        Raises:
            ValueError: with a sentence, where it can't.
        """
        if self._weekly:
            _zone(self.zone)
        elif _instant(self.begin) >= _instant(self.until):
            raise ValueError(f"the window ends at {self.until}, before it begins")

    def ends_after_s(self, now: datetime) -> float:
        """Seconds from ``now`` until the window ends; 0 outside of it."""
        if not self._weekly:
            open_now = _instant(self.begin) <= now < _instant(self.until)
            return (_instant(self.until) - now).total_seconds() if open_now else 0.0
        here = now.astimezone(_zone(self.zone))
        for began in (here.date(), here.date() - timedelta(days=1)):
            if DAYS[began.weekday()] not in self.days:
                continue
            begin = datetime.combine(began, time.fromisoformat(self.begin), here.tzinfo)
            end = datetime.combine(began, time.fromisoformat(self.until), here.tzinfo)
            if end <= begin:
                end = datetime.combine(began + timedelta(days=1), end.timetz())
            if begin.astimezone(UTC) <= now < end.astimezone(UTC):
                return (end.astimezone(UTC) - now).total_seconds()
        return 0.0

    @property
    def _weekly(self) -> bool:
        return bool(TIME_OF_DAY.fullmatch(self.begin) and TIME_OF_DAY.fullmatch(self.until))


def maintenance_left_s(windows: tuple[Window, ...], now: datetime) -> float:
    """Seconds until no window is open; 0 when none is. Windows that touch or overlap count as one."""
    left_s = 0.0
    for _ in range(len(windows) + 1):
        later = max((window.ends_after_s(now + timedelta(seconds=left_s)) for window in windows), default=0.0)
        if later == 0.0:
            break
        left_s += later
    return left_s


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{name!r} is no time zone that this machine knows") from error


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is neither a time of day nor an instant") from error
    if found.tzinfo is None:
        raise ValueError(f"{text!r} has no offset: write Z or one such as +01:00 at its end")
    return found
