"""Measures of flows, computed from what their timelines say: cycle times, waiting, failures, exceptions.

Nothing is counted while flows run. Times are exact over the flows considered; percentiles are by
nearest rank (``percentiles``). A step that a flow is still in counts for no time yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import fmean

from msgspec import Struct

from process_apis.timeline.percentiles import percentile
from process_apis.timeline.stretches import Stretch


class Spread(Struct, frozen=True, kw_only=True):
    """How a time is spread over what was measured, milliseconds; zeros where nothing was."""

    count: int = 0
    mean_ms: int = 0
    p50_ms: int = 0
    p90_ms: int = 0
    p99_ms: int = 0
    longest_ms: int = 0


def spread_of(values_us: Iterable[int]) -> Spread:
    """The spread of times in microseconds."""
    ascending = sorted(values_us)
    if not ascending:
        return Spread()
    return Spread(
        count=len(ascending),
        mean_ms=round(fmean(ascending) / 1_000),
        p50_ms=percentile(ascending, 50) // 1_000,
        p90_ms=percentile(ascending, 90) // 1_000,
        p99_ms=percentile(ascending, 99) // 1_000,
        longest_ms=ascending[-1] // 1_000,
    )


class FlowFacts(Struct, frozen=True, kw_only=True):
    """One flow as far as it is measured."""

    flow: str
    outcome: str
    """Empty while it is under way."""
    stretches: tuple[Stretch, ...]
    exceptions: int = 0

    @property
    def elapsed_us(self) -> int:
        """From acceptance to its last deed."""
        if not self.stretches:
            return 0
        return max(one.until_us for one in self.stretches) - self.stretches[0].began_us


class ExceptionFacts(Struct, frozen=True, kw_only=True):
    """One exception as far as it is measured; microseconds."""

    queue: str
    flow: str
    step: str
    opened_us: int
    due_us: int
    settled_us: int | None = None
    """When it was settled or closed."""
    escalated: bool = False


class StepMeasure(Struct, frozen=True, kw_only=True):
    """One step of one flow over many runs."""

    flow: str
    step: str
    cycle: Spread
    waiting: Spread
    tried: int
    """How often it was begun, over all flows."""
    failed: int
    """How often a call in it was refused or failed at least once."""


class FlowMeasure(Struct, frozen=True, kw_only=True):
    """One flow over many runs."""

    flow: str
    started: int
    under_way: int
    outcomes: tuple[tuple[str, int], ...]
    cycle: Spread
    waiting: Spread
    with_exceptions: int


class QueueMeasure(Struct, frozen=True, kw_only=True):
    """One queue over the exceptions opened in a time."""

    queue: str
    opened: int
    resolved: int
    overdue: int
    """Open past their due time."""
    resolved_late: int
    escalated: int
    resolution: Spread


def step_measures(facts: Sequence[FlowFacts]) -> tuple[StepMeasure, ...]:
    """Every step of every flow, by name."""
    found: defaultdict[tuple[str, str], list[Stretch]] = defaultdict(list)
    for one in facts:
        for stretch in one.stretches:
            if not (stretch.entries and stretch.entries[0].is_end):
                found[one.flow, stretch.step].append(stretch)
    return tuple(_step(flow, step, of) for (flow, step), of in sorted(found.items()))


def flow_measures(facts: Sequence[FlowFacts]) -> tuple[FlowMeasure, ...]:
    """Every flow, by name."""
    found: defaultdict[str, list[FlowFacts]] = defaultdict(list)
    for one in facts:
        found[one.flow].append(one)
    return tuple(_flow(flow, of) for flow, of in sorted(found.items()))


def queue_measures(facts: Sequence[ExceptionFacts], now_us: int) -> tuple[QueueMeasure, ...]:
    """Every queue that had an exception, by name."""
    found: defaultdict[str, list[ExceptionFacts]] = defaultdict(list)
    for one in facts:
        found[one.queue].append(one)
    return tuple(_queue(queue, of, now_us) for queue, of in sorted(found.items()))


def _step(flow: str, step: str, of: Sequence[Stretch]) -> StepMeasure:
    done = [one for one in of if not one.is_open]
    return StepMeasure(
        flow=flow,
        step=step,
        cycle=spread_of(one.elapsed_us for one in done),
        waiting=spread_of(one.waiting_us for one in done),
        tried=len(of),
        failed=sum(one.failures > 0 for one in of),
    )


def _flow(flow: str, of: Sequence[FlowFacts]) -> FlowMeasure:
    ended = [one for one in of if one.outcome]
    names = sorted({one.outcome for one in ended})
    return FlowMeasure(
        flow=flow,
        started=len(of),
        under_way=len(of) - len(ended),
        outcomes=tuple((name, sum(one.outcome == name for one in ended)) for name in names),
        cycle=spread_of(one.elapsed_us for one in ended),
        waiting=spread_of(max(one.elapsed_us - _worked_us(one), 0) for one in ended),
        with_exceptions=sum(one.exceptions > 0 for one in of),
    )


def _worked_us(one: FlowFacts) -> int:
    return sum(stretch.working_us for stretch in one.stretches)


def _queue(queue: str, of: Sequence[ExceptionFacts], now_us: int) -> QueueMeasure:
    resolved = [(one, one.settled_us) for one in of if one.settled_us is not None]
    return QueueMeasure(
        queue=queue,
        opened=len(of),
        resolved=len(resolved),
        overdue=sum(one.settled_us is None and one.due_us < now_us for one in of),
        resolved_late=sum(settled_us > one.due_us for one, settled_us in resolved),
        escalated=sum(one.escalated for one in of),
        resolution=spread_of(settled_us - one.opened_us for one, settled_us in resolved),
    )
