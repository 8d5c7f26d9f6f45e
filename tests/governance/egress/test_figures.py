"""What /metrics tells of ways out, and the trace that goes along."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from prometheus_client.parser import text_string_to_metric_families

from governance.call import Call, ManualClock, Principal, enter, leave
from governance.contract.refusals import SystemUnavailable
from governance.egress import Caching, Egress
from governance.egress.breaker import BreakerSettings
from governance.store import Store
from governance.telemetry import CallMetrics, Tracing
from tests.governance.egress.conftest import IMPATIENT, Pauses, opened
from tests.governance.egress.vendor import Vendor, answering, hanging_up, in_turn

pytestmark = pytest.mark.anyio
TRACED = "00-" + "a" * 32 + "-" + "b" * 16


def figures(egress: Egress) -> dict[tuple[str, ...], float]:
    metrics = CallMetrics()
    metrics.include(egress.figures)
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


async def test_attempts_repeats_and_breakers_are_counted(egress: Egress) -> None:
    client = await opened(egress, msgspec.structs.replace(IMPATIENT, breaker=BreakerSettings(least=5)))
    async with Vendor(in_turn(answering(200), answering(404), hanging_up, answering(200), hanging_up)) as vendor:
        for _ in range(3):
            await client.request("GET", f"{vendor.url}/", endpoint="products")
        for _ in range(4):
            with pytest.raises(SystemUnavailable):
                await client.request("GET", f"{vendor.url}/", endpoint="products")
        found = figures(egress)
        sent = sum(value for name, value in found.items() if name[0] == "tiergate_egress_attempts_total")
        assert sent == len(vendor.asked)
    assert found["tiergate_egress_attempts_total", "2xx", "erp"] == 2
    assert found["tiergate_egress_attempts_total", "4xx", "erp"] == 1
    assert found["tiergate_egress_attempts_total", "Broken", "erp"] >= 3
    assert found["tiergate_egress_retries_total", "erp"] >= 1
    assert found["tiergate_egress_breaker", "products", "erp"] == 2


async def test_waiting_and_reads_of_the_cache_are_counted(store: Store, pauses: Pauses) -> None:
    egress = Egress(store=store, pause=pauses)
    client = egress.vendor("erp", msgspec.structs.replace(IMPATIENT, concurrency=1))
    await egress.start()
    async with Vendor(answering()) as vendor:
        for _ in range(3):
            await client.request("GET", f"{vendor.url}/", caching=Caching(fresh_s=60))
    await egress.stop()
    found = figures(egress)
    assert found["tiergate_egress_cache_total", "fetched", "erp"] == 1
    assert found["tiergate_egress_cache_total", "fresh", "erp"] == 2
    assert found["tiergate_egress_queued_total", "normal", "erp"] == 1
    assert found["tiergate_egress_queue_seconds_total", "normal", "erp"] >= 0


@pytest.mark.parametrize("sampled", [True, False])
async def test_a_sampled_call_has_a_span_of_its_own_and_sends_its_position(sampled: bool, clock: ManualClock) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    egress = Egress(clock=clock, tracing=Tracing(sample_ratio=1.0, tracer=provider.get_tracer("test")))
    client: Any = egress.vendor("erp", IMPATIENT)
    await egress.start()
    given = f"{TRACED}-{'01' if sampled else '00'}"
    call = Call(principal=Principal(subject="s", client_id="c"), operation_id="o", traceparent=given)
    async with Vendor(answering()) as vendor:
        token = enter(call)
        await client.request("GET", f"{vendor.url}/")
        leave(token)
        sent = vendor.asked[0].headers["traceparent"]
    await egress.stop()
    spans = exporter.get_finished_spans()
    assert len(spans) == sampled
    if sampled:
        (span,) = spans
        assert (span.kind, span.name) == (SpanKind.CLIENT, "GET erp")
        assert span.context is not None
        assert sent == f"00-{'a' * 32}-{span.context.span_id:016x}-01"
        assert span.parent is not None
        assert f"{span.parent.span_id:016x}" == "b" * 16
    else:
        assert sent == given
