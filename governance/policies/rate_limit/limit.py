"""A rate limit as a value: how many calls, over how long, how many of them at once.

Spelling: ``600/60s`` or ``600/60s burst 100``; periods in ms, s, m, h or d. Without a burst it is
the rate's own number. In any span t at most ``burst + ⌊t / interval⌋`` calls are admitted.
"""

from __future__ import annotations

import re
from math import ceil

from msgspec import Struct

SPELLING = re.compile(r"(\d{1,9})\s*/\s*(\d{1,9})?\s*(ms|s|m|h|d)(?:\s+burst\s+(\d{1,9}))?", re.ASCII)
UNIT_US = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
LONGEST_US = 366 * UNIT_US["d"]
"""An emptied bucket refills within a year, which also keeps all times exact in the store's doubles."""


class RateLimit(Struct, frozen=True):
    """``burst`` calls at once, then one each ``interval_us`` microseconds."""

    burst: int
    interval_us: int

    def __post_init__(self) -> None:
        if self.burst < 1 or self.interval_us < 1:
            raise ValueError("a rate limit admits at least one call, and at most one each microsecond in the long run")
        if self.burst * self.interval_us > LONGEST_US:
            raise ValueError("a rate limit whose burst takes more than a year to refill is a quota")

    @classmethod
    def parse(cls, text: str) -> RateLimit:
        """The limit that ``text`` spells. The interval is rounded up, so never more is admitted than it says.

        Raises:
            ValueError: it spells none; the message shows how to.
        """
        found = SPELLING.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is not a rate limit: write it like '600/60s' or '600/60s burst 100'")
        calls, period, unit, burst = found.groups()
        period_us = int(period or 1) * UNIT_US[unit]
        if not int(calls) or not period_us:
            raise ValueError(f"{text!r} admits nothing or has no length: both numbers of a rate must be at least 1")
        return cls(int(burst or calls), -(-period_us // int(calls)))

    def share(self, part: float) -> RateLimit:
        """The limit times ``part`` (0 to 1), rounded down; at least one call, and one a year."""
        burst = max(1, int(self.burst * part))
        return RateLimit(burst, min(ceil(self.interval_us / part), LONGEST_US // burst))

    @property
    def refill_s(self) -> int:
        """Whole seconds, rounded up, after which a spent burst is there again."""
        return -(-self.burst * self.interval_us // 1_000_000)
