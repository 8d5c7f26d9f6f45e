"""The result of a run in words, a line a subject."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.chaos.campaign import Result


def rows(result: Result) -> Iterator[tuple[str, str]]:
    """Subject and text of each line."""
    run, pulse, toll = result.campaign.run, result.pulse, result.toll
    where = "PostgreSQL" if result.campaign.store == "postgres" else "SQLite"
    yield (
        "Run",
        f"seed {run.seed}, {run.processes} process{'es' * (run.processes > 1)} on {where}, {result.took_s:.0f} s",
    )
    yield "Orders", f"{sum(result.orders_by_end.values()):,}: {_counts(result.orders_by_end)}"
    yield "Clients", f"{pulse.sent:,} requests, {pulse.cut} cut off; sent again: {_counts(pulse.again) or 'none'}"
    yield "Acceptance", f"p50 {_ms(pulse.acceptance_s, 0.5)}, p99 {_ms(pulse.acceptance_s, 0.99)} at the first attempt"
    yield "Faults", _counts(result.faults) or "none"
    yield "Kills", f"{toll.kills.total()}: {_counts(toll.kills) or 'none'}; {result.restarts} gateways started again"
    if toll.not_reached:
        yield "Not reached", ", ".join(toll.not_reached)
    if toll.stopped:
        yield "Stopped", f"{toll.stopped} for up to {toll.longest_stop_s:.1f} s"
    for name, waits in (("Taken over", result.takeovers.by_others), ("Restarted", result.takeovers.by_successors)):
        if waits.count:
            yield (
                name,
                f"{waits.count} flows {waits.median_s:.2f} s after the death of their process in the median, "
                f"{waits.longest_s:.2f} s at the longest",
            )
    if (recorded := result.takeovers.recorded).count:
        yield (
            "Went on",
            f"{recorded.median_s:.2f} s after it, {recorded.longest_s:.2f} s at the longest, with what failed meanwhile",
        )
    yield "Outage", f"{pulse.longest_outage_s:.1f} s at the longest without a good answer"
    yield "Settled", f"{result.settled_s:.1f} s after the last fault (of {result.campaign.settle_s:g} s)"


def _counts(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


def _ms(seconds: Sequence[float], share: float) -> str:
    if not seconds:
        return "–"
    return f"{sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))] * 1000:.0f} ms"
