"""Where an API version or an operation stands in its life: preview, current, deprecated, retired.

A deprecation states three things when it is declared: from which day the operation is deprecated, the
first day on which it is gone, and what takes its place. Days begin at midnight UTC. ``retired`` is for
what is gone for good: the contract stays as a tombstone, so that its callers are told where to go.

Standards: RFC 9745 (Deprecation), RFC 8594 (Sunset).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from msgspec import Struct

LifecycleStage = Literal["preview", "current", "deprecated", "retired"]
LONGEST_BROWN_OUT = timedelta(days=1)


class BrownOut(Struct, frozen=True):
    """A span in which a deprecated operation refuses its clients, so that they notice what they still use."""

    begins: datetime
    ends: datetime

    def __post_init__(self) -> None:
        if self.begins.tzinfo is None or self.ends.tzinfo is None:
            raise ValueError("a brown-out states the zone of its times, such as tzinfo=UTC")
        if not timedelta() < self.ends - self.begins <= LONGEST_BROWN_OUT:
            raise ValueError("a brown-out ends after it begins, within a day")


class Lifecycle(Struct, frozen=True, kw_only=True):
    """The life of an API version or of one operation; see ``deprecated`` and ``retired``."""

    stage: LifecycleStage = "current"
    since: date | None = None
    """The first day of the deprecation."""
    sunset: date | None = None
    """The first day on which the operation is gone."""
    successor: str = ""
    """An API id such as ``portal.v2``, or an operation id; empty where nothing takes its place."""
    brown_outs: tuple[BrownOut, ...] = ()

    def __post_init__(self) -> None:
        if self.since is not None and self.sunset is not None and self.sunset <= self.since:
            raise ValueError("a sunset comes after the deprecation that announces it")
        for span in self.brown_outs:
            if not (self.deprecated_at <= span.begins and span.ends <= self.sunset_at):
                raise ValueError("a brown-out lies between deprecation and sunset")

    def __str__(self) -> str:
        return self.stage

    @property
    def deprecated_at(self) -> datetime:
        """The instant from which it is deprecated; the end of time where it is not."""
        return _midnight(self.since)

    @property
    def sunset_at(self) -> datetime:
        """The instant from which it is gone; the end of time where it stays."""
        return _midnight(self.sunset)

    @property
    def notice(self) -> timedelta:
        """How long its callers have to leave."""
        return self.sunset_at - self.deprecated_at

    def gone(self, now: datetime) -> bool:
        """Whether it is no more."""
        return self.stage == "retired" or now >= self.sunset_at

    def brown_out(self, now: datetime) -> BrownOut | None:
        """The brown-out under way, if any."""
        return next((span for span in self.brown_outs if span.begins <= now < span.ends), None)


CURRENT = Lifecycle()


def deprecated(*, since: date, sunset: date, successor: str = "", brown_outs: tuple[BrownOut, ...] = ()) -> Lifecycle:
    """Announced to go: deprecated from the day ``since``, gone from the day ``sunset``.

    Raises:
        ValueError: the days are in the wrong order, or a brown-out lies outside them.
    """
    return Lifecycle(stage="deprecated", since=since, sunset=sunset, successor=successor, brown_outs=brown_outs)


def retired(*, on: date, successor: str = "") -> Lifecycle:
    """Gone since the day ``on``; the folder keeps ``contract.py`` and needs no service."""
    return Lifecycle(stage="retired", sunset=on, successor=successor)


def _midnight(day: date | None) -> datetime:
    return datetime.max.replace(tzinfo=UTC) if day is None else datetime.combine(day, time(tzinfo=UTC))
