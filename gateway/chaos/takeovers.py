"""How long flows stood still after the process that ran them had died, from the records of all processes."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from gateway.chaos.plan import FOLDER


class Takeovers(Struct, frozen=True, kw_only=True):
    """Flows that went on after the death of their process."""

    count: int
    median_s: float
    longest_s: float
    """From the death to the next record of the flow; warehouses and failing systems are in it, further deaths not."""
    longest_standstill_s: float
    """From a death to the next record of any flow."""


def read_takeovers(home: Path, deaths: Sequence[tuple[float, tuple[int, ...]]]) -> Takeovers:
    """The takeovers after ``deaths``, each an instant in Unix seconds and the processes that died."""
    records: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for file in (home / FOLDER / "progress").iterdir():
        for line in file.read_text().splitlines():
            at, flow, _ = line.split(" ", 2)
            records[flow].append((float(at), int(file.name)))
    for of_flow in records.values():
        of_flow.sort()
    moments = sorted(at for of_flow in records.values() for at, _ in of_flow)
    standstills = [
        moments[following] - at for at, _ in deaths if (following := bisect_right(moments, at)) < len(moments)
    ]
    fatal = sorted(at for at, _ in deaths)
    waits = sorted(
        wait
        for at, pids in deaths
        for wait in _waits(records.values(), at, pids)
        if bisect_right(fatal, at + wait) == bisect_right(fatal, at)
    )
    return Takeovers(
        count=len(waits),
        median_s=waits[len(waits) // 2] if waits else 0.0,
        longest_s=max(waits, default=0.0),
        longest_standstill_s=max(standstills, default=0.0),
    )


def _waits(records: Iterable[list[tuple[float, int]]], at: float, pids: tuple[int, ...]) -> Iterable[float]:
    for of_flow in records:
        following = bisect_right(of_flow, (at, 2**31))
        if 0 < following < len(of_flow) and of_flow[following - 1][1] in pids:
            yield of_flow[following][0] - at
