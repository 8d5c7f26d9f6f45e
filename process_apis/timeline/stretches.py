"""Stretches of a flow: each step from when it was begun until the flow went on, with what was done in it.

The rows of a flow's timeline say when each call began and how long it took. From them follows where
the time went: a stretch lasts until the next one begins; what its calls took of that is work, and the
rest is waiting, for a system, for goods, or for somebody. Steps done side by side overlap, so the
sum of their stretches may be longer than the flow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct

from process_apis.flow.leg import STEP_ROOM

FAILED = frozenset({"failed", "refused"})
"""Outcomes of calls that were of no use."""
ENDS = frozenset({"completed", "rejected", "cancelled"})
"""What the entry is called, and came to, with which a flow says how it ended."""


class Entry(Struct, frozen=True, kw_only=True):
    """One row of a timeline."""

    position: int
    at_us: int
    step: str
    tier: str
    api: str
    operation: str
    outcome: str
    detail: str = ""
    duration_ms: int = 0

    @classmethod
    def of(cls, row: Any) -> Entry:
        """A row of the table."""
        return cls(
            position=row.position,
            at_us=row.at_us,
            step=row.step,
            tier=row.tier,
            api=row.api,
            operation=row.operation,
            outcome=row.outcome,
            detail=row.detail,
            duration_ms=row.duration_ms,
        )

    @property
    def done_us(self) -> int:
        """When the call had its answer."""
        return self.at_us + self.duration_ms * 1_000

    @property
    def is_end(self) -> bool:
        """Whether it says how the flow ended, rather than what was done."""
        return self.outcome in ENDS and self.step == self.outcome


class Stretch(Struct, frozen=True, kw_only=True):
    """One step of one flow in time; microseconds since 1970 UTC."""

    step: str
    began_us: int
    until_us: int
    entries: tuple[Entry, ...] = ()
    is_open: bool = False
    """Under way: ``until_us`` is now."""

    @property
    def elapsed_us(self) -> int:
        """From its begin until the flow went on."""
        return self.until_us - self.began_us

    @property
    def working_us(self) -> int:
        """What its calls took."""
        return min(sum(entry.duration_ms for entry in self.entries) * 1_000, self.elapsed_us)

    @property
    def waiting_us(self) -> int:
        """What is left of it."""
        return self.elapsed_us - self.working_us

    @property
    def failures(self) -> int:
        """Calls in it that were refused or failed; one that fails again in the same way counts once."""
        return sum(entry.outcome in FAILED for entry in self.entries)

    @property
    def outcome(self) -> str:
        """How its last call ended; ``under_way`` while it goes on."""
        return "under_way" if self.is_open else self.entries[-1].outcome


@lru_cache(maxsize=1_024)
def whole(step: str) -> str:
    """The step that a part belongs to: ``ship`` of ``ship:HAM``, ``undo:ship`` of ``undo:ship:HAM``."""
    first, *parts = step.split(":")
    return f"{first}:{parts[0]}" if first == "undo" and parts else first


def stretches(entries: Sequence[Entry], *, stage: str = "", now_us: int | None = None) -> tuple[Stretch, ...]:
    """The stretches of a flow, in the order in which they began.

    ``now_us`` is given for a flow that is under way: its last stretch then lasts until now, which is
    that of ``stage``, the step that has nothing to show yet.
    """
    groups = _grouped(sorted(entries, key=lambda entry: entry.position))
    begun = [(group[0].at_us, max(entry.done_us for entry in group), group) for group in groups]
    begun.sort(key=lambda one: one[0])
    found: list[Stretch] = []
    for number, (began, done, group) in enumerate(begun):
        following = begun[number + 1][0] if number + 1 < len(begun) else done
        until = began if group[0].is_end else max(done, following)
        found.append(
            Stretch(step=whole(group[0].step), began_us=began, until_us=until, entries=tuple(group)),
        )
    if now_us is None or not found:
        return tuple(found)
    return _under_way(found, whole(stage), now_us)


def _grouped(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Entries of one step: those that follow each other, and those beside others in one checkpoint."""
    groups: list[list[Entry]] = []
    names: list[str] = []
    checkpoint, first = -1, 0
    for entry in entries:
        if entry.position // STEP_ROOM != checkpoint:
            checkpoint, first = entry.position // STEP_ROOM, max(len(groups) - 1, 0)  # the last may go on
        name = whole(entry.step)
        if name in names[first:] and not entry.is_end:
            groups[len(names) - 1 - names[::-1].index(name)].append(entry)
        else:
            groups.append([entry])
            names.append(name)
    return groups


def _under_way(found: list[Stretch], stage: str, now_us: int) -> tuple[Stretch, ...]:
    last = found[-1]
    until = max(now_us, last.until_us)
    if last.step == stage or not stage:
        going = Stretch(step=last.step, began_us=last.began_us, until_us=until, entries=last.entries, is_open=True)
        return (*found[:-1], going)
    return (*found, Stretch(step=stage, began_us=last.until_us, until_us=until, is_open=True))


def ended_as(entries: Iterable[Entry]) -> str:
    """How the flow ended; empty while it has not."""
    ends = [entry.outcome for entry in entries if entry.is_end]
    return ends[-1] if ends else ""
