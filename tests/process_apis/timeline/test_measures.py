"""Measures against a sample that was computed by hand."""

from __future__ import annotations

import pytest

from process_apis.timeline.measures import (
    ExceptionFacts,
    FlowFacts,
    FlowMeasure,
    QueueMeasure,
    Spread,
    StepMeasure,
    flow_measures,
    queue_measures,
    spread_of,
    step_measures,
)
from process_apis.timeline.percentiles import percentile
from process_apis.timeline.stretches import Entry, Stretch

MS = 1_000
S = 1_000_000


def stretch(
    step: str, began_ms: int, until_ms: int, *took_ms: int, failed: bool = False, going: bool = False
) -> Stretch:
    entries = tuple(
        Entry(
            position=0, at_us=began_ms * MS, step=step, tier="system", api="erp.v1", operation="call",
            outcome="failed" if failed and not number else "done", duration_ms=took,
        )
        for number, took in enumerate(took_ms)
    )  # fmt: skip
    return Stretch(step=step, began_us=began_ms * MS, until_us=until_ms * MS, entries=entries, is_open=going)


SAMPLE = (
    # price takes 10, 20, 30, 100 ms; the last of it with a failed call. ship is under way in the fourth flow.
    FlowFacts(flow="o2f", outcome="completed", stretches=(stretch("price", 0, 10, 10), stretch("ship", 10, 50, 5))),
    FlowFacts(flow="o2f", outcome="completed", stretches=(stretch("price", 0, 20, 5), stretch("ship", 20, 40, 20))),
    FlowFacts(flow="o2f", outcome="rejected", stretches=(stretch("price", 0, 30, 15, 15, failed=True),), exceptions=2),
    FlowFacts(
        flow="o2f",
        outcome="",
        stretches=(stretch("price", 0, 100, 60, 20, failed=True), stretch("ship", 100, 900, going=True)),
        exceptions=1,
    ),
)


def test_steps_of_the_sample() -> None:
    price, ship = step_measures(SAMPLE)
    assert price == StepMeasure(
        flow="o2f",
        step="price",
        # 10 20 30 100: mean 40; p50 is the 2nd, p90 and p99 the 4th.
        cycle=Spread(count=4, mean_ms=40, p50_ms=20, p90_ms=100, p99_ms=100, longest_ms=100),
        # 0 15 0 20 → 0 0 15 20: mean 8.75.
        waiting=Spread(count=4, mean_ms=9, p50_ms=0, p90_ms=20, p99_ms=20, longest_ms=20),
        tried=4,
        failed=2,
    )
    assert ship == StepMeasure(
        flow="o2f",
        step="ship",
        cycle=Spread(count=2, mean_ms=30, p50_ms=20, p90_ms=40, p99_ms=40, longest_ms=40),
        waiting=Spread(count=2, mean_ms=18, p50_ms=0, p90_ms=35, p99_ms=35, longest_ms=35),
        tried=3,
        failed=0,
    )


def test_flows_of_the_sample() -> None:
    assert flow_measures(SAMPLE) == (
        FlowMeasure(
            flow="o2f",
            started=4,
            under_way=1,
            outcomes=(("completed", 2), ("rejected", 1)),
            # 50 40 30: mean 40; work 15, 25, 30; waiting 35, 15, 0.
            cycle=Spread(count=3, mean_ms=40, p50_ms=40, p90_ms=50, p99_ms=50, longest_ms=50),
            waiting=Spread(count=3, mean_ms=17, p50_ms=15, p90_ms=35, p99_ms=35, longest_ms=35),
            with_exceptions=2,
        ),
    )


def test_queues_of_the_sample() -> None:
    sample = (
        ExceptionFacts(queue="stock", flow="o2f", step="ship", opened_us=0, due_us=100 * S, settled_us=60 * S),
        ExceptionFacts(
            queue="stock", flow="o2f", step="ship", opened_us=10 * S, due_us=100 * S, settled_us=130 * S, escalated=True
        ),
        ExceptionFacts(queue="stock", flow="o2f", step="ship", opened_us=20 * S, due_us=120 * S),
        ExceptionFacts(queue="stock", flow="o2f", step="ship", opened_us=20 * S, due_us=300 * S),
        ExceptionFacts(queue="credit", flow="q2c", step="check", opened_us=0, due_us=10 * S, settled_us=10 * S),
    )
    credit, stock = queue_measures(sample, 200 * S)
    assert stock == QueueMeasure(
        queue="stock",
        opened=4,
        resolved=2,
        overdue=1,
        resolved_late=1,
        escalated=1,
        resolution=Spread(count=2, mean_ms=90_000, p50_ms=60_000, p90_ms=120_000, p99_ms=120_000, longest_ms=120_000),
    )
    assert (credit.opened, credit.resolved, credit.resolved_late, credit.resolution.p50_ms) == (1, 1, 0, 10_000)


@pytest.mark.parametrize(
    ("per_cent", "value"), [(0, 15), (5, 15), (30, 20), (40, 20), (41, 35), (50, 35), (90, 50), (99, 50), (100, 50)]
)
def test_a_percentile_is_the_value_of_nearest_rank(per_cent: int, value: int) -> None:
    assert percentile((15, 20, 35, 40, 50), per_cent) == value


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile((), 50)
    assert spread_of(()) == Spread()
