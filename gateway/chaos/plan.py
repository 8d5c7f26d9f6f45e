"""The plan of a run: which faults befall which call, as a pure function of a seed.

A fault is decided by seed, operation, key and attempt, never by a clock or a counter of the whole
run, so the same seed meets the same calls with the same faults however the processes interleave.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

FOLDER = "chaos"
FILE = "plan.json"
OVER = "over"
SLOWEST_S = 0.4
LATE_S = 0.3
"""How long after its caller gave up a late effect comes."""
OUTAGE_S = 1.5
"""Systems are away for stretches of this length."""

Share = Annotated[float, Meta(ge=0, le=1)]
FaultKind = Literal["fails", "lost", "late", "slow", "away"]
FAULTS: tuple[FaultKind, ...] = ("fails", "lost", "late", "slow", "away")


class Fault(Struct, frozen=True, kw_only=True):
    """What befalls one attempt of a call.

    ``fails``: it fails and has no effect. ``lost``: it has its effect and the answer is lost.
    ``late``: the caller is told that it failed, and the effect comes ``delay_s`` afterwards.
    ``slow``: it is done after ``delay_s``. ``away``: the whole system does not answer.
    """

    kind: FaultKind
    delay_s: float = 0.0


class Plan(Struct, frozen=True, kw_only=True):
    """What a run is made of; shares are of all calls to systems."""

    seed: int
    failing: Share = 0.0
    lost: Share = 0.0
    slow: Share = 0.0
    away: Share = 0.0
    """Of the time that each system is away."""
    began: float = 0.0
    """Unix seconds from which stretches of outage are counted."""

    def fault(self, operation: str, key: str, attempt: int) -> Fault | None:
        """What befalls this attempt, counted from 0; None: nothing."""
        at = chance(self.seed, "fault", operation, key, attempt)
        how = chance(self.seed, "how", operation, key, attempt)
        if at < self.failing:
            return Fault(kind="fails", delay_s=SLOWEST_S * how if how < 0.1 else 0.0)
        if at < self.failing + self.lost:
            return Fault(kind="late", delay_s=LATE_S) if how < 0.25 else Fault(kind="lost")
        if at < self.failing + self.lost + self.slow:
            return Fault(kind="slow", delay_s=SLOWEST_S * how)
        return None

    def is_away(self, system: str, now: float) -> bool:
        """Whether the whole system is away at ``now``, in Unix seconds."""
        stretch = int((now - self.began) / OUTAGE_S)
        return self.away > 0 and chance(self.seed, "away", system, stretch) < self.away


def chance(seed: int, *about: object) -> float:
    """A number from 0 to below 1 that looks random and is always the same for the same arguments."""
    digest = hashlib.blake2b(repr((seed, *about)).encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def write_plan(home: Path, plan: Plan) -> None:
    """Make ``home`` a home of chaos: only in such a one is any fault put in."""
    folder = home / FOLDER
    (folder / "armed").mkdir(parents=True, exist_ok=True)
    (folder / "progress").mkdir(exist_ok=True)
    (folder / FILE).write_bytes(msgspec.json.encode(plan))


def read_plan(home: Path) -> Plan | None:
    """The plan of this home; None: it is no home of chaos."""
    try:
        return msgspec.json.decode((home / FOLDER / FILE).read_bytes(), type=Plan)
    except FileNotFoundError:
        return None
