"""How long flows stood still after the process that ran them had died, from the notes of all processes.

Two moments are told apart. A flow is taken up when another process begins to work on it. It goes on when
that process records a step, for which it may have to wait for warehouses and ask failing systems again.
Only legs that were under way count: a flow at rest goes on with a leg of its own, whoever lives.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from gateway.chaos.kill_switch import TAKEN_UP
from gateway.chaos.plan import FOLDER

AT_WORK_S = 1.0
"""A process that notes something this soon after a death was there to take over."""


class Entry(Struct, frozen=True, order=True):
    """What a process noted of a leg."""

    at: float
    pid: int
    recorded: bool


class Waits(Struct, frozen=True, kw_only=True):
    """Seconds from deaths; those in which somebody else died are not in it."""

    count: int
    median_s: float
    longest_s: float


class Takeovers(Struct, frozen=True, kw_only=True):
    """Flows that went on after the death of their process."""

    by_others: Waits
    """Until they were taken up, while others were at work."""
    by_successors: Waits
    """Until they were taken up when nobody was left, and a process had to be started first."""
    recorded: Waits
    """Until the next record of each; warehouses and failing systems are in it."""


def read_takeovers(home: Path, deaths: Sequence[tuple[float, tuple[int, ...]]]) -> Takeovers:
    """The takeovers after ``deaths``, each an instant in Unix seconds and the processes that died."""
    legs = _legs(home)
    moments = sorted((one.at, one.pid) for entries in legs for one in entries)
    fatal = sorted(at for at, _ in deaths)
    others: list[float] = []
    successors: list[float] = []
    recorded: list[float] = []
    for at, pids in deaths:
        after = list(_after(legs, at, pids))
        taken_up = [entries[0].at - at for entries in after]
        (others if _others_at_work(moments, at, pids) else successors).extend(_alone(taken_up, fatal, at))
        records = [next((one.at - at for one in entries if one.recorded), None) for entries in after]
        recorded += _alone([wait for wait in records if wait is not None], fatal, at)
    return Takeovers(by_others=_summed(others), by_successors=_summed(successors), recorded=_summed(recorded))


def _legs(home: Path) -> list[list[Entry]]:
    legs: dict[str, list[Entry]] = defaultdict(list)
    for file in (home / FOLDER / "progress").iterdir():
        for line in file.read_text().splitlines():
            at, leg, name = line.split(" ", 2)
            legs[leg].append(Entry(float(at), int(file.name), name != TAKEN_UP))
    return [sorted(entries) for entries in legs.values()]


def _after(legs: Sequence[list[Entry]], at: float, pids: tuple[int, ...]) -> Iterator[list[Entry]]:
    """What was noted after ``at`` of each leg that these processes had in hand then."""
    for entries in legs:
        following = bisect_right(entries, at, key=lambda one: one.at)
        if 0 < following < len(entries) and entries[following - 1].pid in pids:
            yield entries[following:]


def _alone(waits: Sequence[float], fatal: Sequence[float], at: float) -> list[float]:
    """Those in which nobody else died."""
    return [wait for wait in waits if bisect_right(fatal, at + wait) == bisect_right(fatal, at)]


def _others_at_work(moments: Sequence[tuple[float, int]], at: float, pids: tuple[int, ...]) -> bool:
    begin, end = bisect_right(moments, (at, 2**31)), bisect_right(moments, (at + AT_WORK_S, 2**31))
    return any(pid not in pids for _, pid in moments[begin:end])


def _summed(waits: list[float]) -> Waits:
    waits.sort()
    median_s = waits[len(waits) // 2] if waits else 0.0
    return Waits(count=len(waits), median_s=median_s, longest_s=max(waits, default=0.0))
