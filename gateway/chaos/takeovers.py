"""How long flows stood still after the process that ran them had died, from the records of all processes."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from gateway.chaos.plan import FOLDER

AT_WORK_S = 1.0
"""A process that records something this soon after a death was there to take over."""


class Waits(Struct, frozen=True, kw_only=True):
    """From deaths to the next record of each flow; warehouses and failing systems are in it, further deaths not."""

    count: int
    median_s: float
    longest_s: float


class Takeovers(Struct, frozen=True, kw_only=True):
    """Flows that went on after the death of their process."""

    by_others: Waits
    """While others were at work."""
    by_successors: Waits
    """When nobody was left, and a process had to be started first."""


def read_takeovers(home: Path, deaths: Sequence[tuple[float, tuple[int, ...]]]) -> Takeovers:
    """The takeovers after ``deaths``, each an instant in Unix seconds and the processes that died."""
    records: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for file in (home / FOLDER / "progress").iterdir():
        for line in file.read_text().splitlines():
            at, flow, _ = line.split(" ", 2)
            records[flow].append((float(at), int(file.name)))
    for of_flow in records.values():
        of_flow.sort()
    moments = sorted(record for of_flow in records.values() for record in of_flow)
    fatal = sorted(at for at, _ in deaths)
    others: list[float] = []
    successors: list[float] = []
    for at, pids in deaths:
        found = [wait for wait in _waits(list(records.values()), at, pids) if not _dies_between(fatal, at, at + wait)]
        (others if _others_at_work(moments, at, pids) else successors).extend(found)
    return Takeovers(by_others=_summed(others), by_successors=_summed(successors))


def _waits(records: Sequence[list[tuple[float, int]]], at: float, pids: tuple[int, ...]) -> Iterator[float]:
    for of_flow in records:
        following = bisect_right(of_flow, (at, 2**31))
        if 0 < following < len(of_flow) and of_flow[following - 1][1] in pids:
            yield of_flow[following][0] - at


def _dies_between(fatal: Sequence[float], begin: float, end: float) -> bool:
    return bisect_right(fatal, end) > bisect_right(fatal, begin)


def _others_at_work(moments: Sequence[tuple[float, int]], at: float, pids: tuple[int, ...]) -> bool:
    begin, end = bisect_right(moments, (at, 2**31)), bisect_right(moments, (at + AT_WORK_S, 2**31))
    return any(pid not in pids for _, pid in moments[begin:end])


def _summed(waits: list[float]) -> Waits:
    waits.sort()
    median_s = waits[len(waits) // 2] if waits else 0.0
    return Waits(count=len(waits), median_s=median_s, longest_s=max(waits, default=0.0))
