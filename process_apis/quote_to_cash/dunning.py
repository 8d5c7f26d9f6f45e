"""Dunning as data: which reminder goes out how long after an invoice was due.

The table of the flow has a pair of steps for each stage, so their number is part of its released names;
the days are a company's own.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal

from msgspec import Struct

StageNumber = Literal[1, 2, 3]


class DunningStage(Struct, frozen=True, kw_only=True):
    """A reminder: friendly, then firm, then the last word."""

    number: StageNumber
    name: str
    after_days: int
    """Days after the day on which the invoice was due."""
    pay_within_days: int
    """What the letter gives the reader."""


DUNNING: tuple[DunningStage, ...] = (
    DunningStage(number=1, name="reminder", after_days=3, pay_within_days=7),
    DunningStage(number=2, name="second_reminder", after_days=14, pay_within_days=7),
    DunningStage(number=3, name="final_notice", after_days=28, pay_within_days=10),
)


def falls_on(due_on: date, after_days: int) -> datetime:
    """The beginning, UTC, of the day that is ``after_days`` after the one on which an invoice is due."""
    day = due_on + timedelta(after_days)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
