"""Metrics as Prometheus reads them."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from governance.telemetry import CallMetrics
from governance.telemetry.metrics import BOUNDS_S


def samples(metrics: CallMetrics) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def test_nothing_is_said_of_what_was_not_called() -> None:
    metrics = CallMetrics()
    metrics.series("o", "served")
    assert samples(metrics) == {}
    assert "text/plain" in metrics.content_type


def test_durations_fall_into_buckets_with_their_upper_bound() -> None:
    metrics = CallMetrics()
    for duration_s in (0.0005, 0.001, 0.0011, 99.0):
        metrics.series("o", "served").note(duration_s, "ok")
    found = samples(metrics)
    name = "tiergate_call_duration_seconds"
    assert found[f"{name}_bucket", "served", "0.001", "o"] == 2
    assert found[f"{name}_bucket", "served", "0.0025", "o"] == 3
    assert found[f"{name}_bucket", "served", str(BOUNDS_S[-1]), "o"] == 3
    assert found[f"{name}_bucket", "served", "+Inf", "o"] == 4
    assert found[f"{name}_count", "served", "o"] == 4
    assert found[f"{name}_sum", "served", "o"] == 0.0005 + 0.001 + 0.0011 + 99.0


def test_outcomes_are_counted_apart() -> None:
    metrics = CallMetrics()
    for outcome in ("ok", "ok", "not-found"):
        metrics.series("o", "local").note(0.1, outcome)
    metrics.series("o", "served").note(0.1, "ok")
    found = samples(metrics)
    assert found["tiergate_calls_total", "local", "o", "ok"] == 2
    assert found["tiergate_calls_total", "local", "o", "not-found"] == 1
    assert found["tiergate_calls_total", "served", "o", "ok"] == 1
