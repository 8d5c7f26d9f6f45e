"""Telemetry: what every call leaves behind, in hops, metrics and spans."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from governance.call import Policy, SystemClock
from governance.contract import operation_of
from governance.policies.telemetry import Enforcement, Settings
from governance.telemetry import CallMetrics, Hop, HopLog, Tracing
from tests.governance.bindings.sample_apis import ShelvesV1
from tests.governance.bindings.sample_gateway import InProcessClient, ask, assemble, edge_of
from tests.governance.policies.refusing import Refusing

pytestmark = pytest.mark.anyio
SHOW = "/experience/counter/v1/books"
CALLER_TRACE, CALLER_SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = f"00-{CALLER_TRACE}-{CALLER_SPAN}-01"
NOT_SAMPLED = f"00-{CALLER_TRACE}-{CALLER_SPAN}-00"


class World:
    """The sample gateway under telemetry."""

    def __init__(self, *policies: Policy, sample_ratio: float | None = None) -> None:
        self.hops = HopLog()
        self.metrics = CallMetrics()
        self.exporter = InMemorySpanExporter()
        tracing = Tracing()
        if sample_ratio is not None:
            provider = TracerProvider()
            provider.add_span_processor(SimpleSpanProcessor(self.exporter))
            tracing = Tracing(sample_ratio=sample_ratio, tracer=provider.get_tracer("test"))
        self.policies = (Enforcement(Settings(), SystemClock(), self.hops, self.metrics, tracing), *policies)
        self.edge = edge_of(assemble(policies=self.policies, clock=SystemClock()))

    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self.exporter.get_finished_spans()}

    async def hops_of(self, path: str, **headers: str) -> tuple[Hop, ...]:
        return self.hops.of((await ask(self.edge, "GET", path, headers=headers)).headers["request-id"])


async def test_every_tier_of_a_request_is_a_hop() -> None:
    hops = await World().hops_of(f"{SHOW}/b1")
    assert [(hop.tier, hop.operation, hop.binding, hop.caller, hop.outcome) for hop in hops] == [
        ("experience", "counter.v1.show", "served", "c-1", "ok"),
        ("process", "loans.v1.look_up", "local", "counter.v1", "ok"),
        ("system", "shelves.v1.get_book", "local", "loans.v1", "ok"),
    ]
    outer, _, inner = hops
    assert outer.started_s <= inner.started_s
    assert outer.duration_ms >= inner.duration_ms >= 0


async def test_a_refusal_is_the_outcome_of_every_tier_that_it_passed() -> None:
    hops = await World().hops_of(f"{SHOW}/missing")
    assert [hop.outcome for hop in hops] == ["not-found"] * 3


@pytest.mark.parametrize(
    ("path", "headers", "outcome"),
    [
        (f"{SHOW}/UPPER", {}, "invalid-parameters"),
        (f"{SHOW}/b1", {"Accept": "text/html"}, "not-acceptable"),
        (f"{SHOW}/b1", {"Content-Length": "5"}, "malformed-request"),
        (f"{SHOW}/away", {}, "unavailable"),
    ],
)
async def test_refusals_of_the_wire_are_outcomes(path: str, headers: dict[str, str], outcome: str) -> None:
    assert (await World().hops_of(path, **headers))[0].outcome == outcome


async def test_a_refusal_of_an_unknown_caller_is_found_by_its_request_id() -> None:
    (hop,) = await World(Refusing(401)).hops_of(f"{SHOW}/b1")
    assert (hop.outcome, hop.caller) == ("unauthenticated", "")


@pytest.mark.expects_unexpected
async def test_a_bug_is_an_outcome() -> None:
    assert [hop.outcome for hop in await World().hops_of(f"{SHOW}/bug")] == ["internal-error"] * 3


async def test_an_unchanged_answer_is_ok() -> None:
    hops = await World().hops_of(f"{SHOW}/b1", **{"If-None-Match": "*"})
    assert hops[0].outcome == "ok"


async def test_calls_are_counted_by_operation_binding_and_outcome() -> None:
    world = World()
    for book_id in ("b1", "b2", "missing", "UPPER"):
        await ask(world.edge, "GET", f"{SHOW}/{book_id}")
    text = world.metrics.text().decode()
    for line in (
        'tiergate_calls_total{binding="served",operation="counter.v1.show",outcome="ok"} 2.0',
        'tiergate_calls_total{binding="served",operation="counter.v1.show",outcome="not-found"} 1.0',
        'tiergate_calls_total{binding="served",operation="counter.v1.show",outcome="invalid-parameters"} 1.0',
        'tiergate_calls_total{binding="local",operation="shelves.v1.get_book",outcome="ok"} 2.0',
        'tiergate_call_duration_seconds_count{binding="local",operation="shelves.v1.get_book"} 3.0',
    ):
        assert line in text


async def test_labels_hold_nothing_of_requests() -> None:
    world = World()
    await ask(world.edge, "GET", f"{SHOW}/secret-id?secret=1", headers={"X": "secret"})
    assert b"secret" not in world.metrics.text()


def ids_of(span: ReadableSpan) -> tuple[str, str, str]:
    """Trace, span and parent span."""
    context = span.get_span_context()
    assert context is not None
    parent = f"{span.parent.span_id:016x}" if span.parent else ""
    return f"{context.trace_id:032x}", f"{context.span_id:016x}", parent


def assert_one_line(spans: dict[str, ReadableSpan], trace: str, parent: str) -> None:
    """The three tiers hang below each other, in one trace, the first below ``parent``."""
    for name in ("counter.v1.show", "loans.v1.look_up", "shelves.v1.get_book"):
        of_trace, span_id, of_parent = ids_of(spans[name])
        assert (name, of_trace, of_parent) == (name, trace, parent)
        parent = span_id


async def test_spans_hang_below_the_callers_and_each_other() -> None:
    world = World(sample_ratio=0.0)
    await ask(world.edge, "GET", f"{SHOW}/b1", headers={"traceparent": SAMPLED})
    spans = world.spans()
    assert_one_line(spans, CALLER_TRACE, CALLER_SPAN)
    assert [span.kind for span in spans.values()] == [SpanKind.INTERNAL, SpanKind.INTERNAL, SpanKind.SERVER]
    assert spans["counter.v1.show"].attributes == {
        "tiergate.tier": "experience",
        "tiergate.operation": "counter.v1.show",
    }


async def test_a_trace_begins_here_where_the_caller_has_none() -> None:
    world = World(sample_ratio=1.0)
    await ask(world.edge, "GET", f"{SHOW}/b1")
    trace, _, _ = ids_of(world.spans()["counter.v1.show"])
    assert_one_line(world.spans(), trace, "")


@pytest.mark.parametrize(("ratio", "given"), [(1.0, NOT_SAMPLED), (0.0, ""), (0.0, "nonsense"), (None, SAMPLED)])
async def test_what_is_not_sampled_leaves_no_span_in_any_tier(ratio: float | None, given: str) -> None:
    world = World(sample_ratio=ratio)
    await ask(world.edge, "GET", f"{SHOW}/b1", headers={"traceparent": given} if given else {})
    assert world.spans() == {}


async def test_the_decision_is_made_once_a_request() -> None:
    world = World(sample_ratio=0.5)
    found = 0
    for _ in range(40):
        before = len(world.exporter.get_finished_spans())
        await ask(world.edge, "GET", f"{SHOW}/b1")
        made = len(world.exporter.get_finished_spans()) - before
        assert made in (0, 3)
        found += made
    assert 0 < found < 120


async def test_a_trace_goes_on_in_another_process() -> None:
    world = World(sample_ratio=0.0)
    above = assemble(
        tiers=frozenset({"process", "experience"}),
        placement={"system": "http://in-process"},
        client=InProcessClient(world.edge),
        policies=world.policies,
        clock=SystemClock(),
    )
    await ask(edge_of(above), "GET", f"{SHOW}/b1", headers={"traceparent": SAMPLED})
    spans = world.spans()
    assert_one_line(spans, CALLER_TRACE, CALLER_SPAN)
    assert spans["shelves.v1.get_book"].kind is SpanKind.SERVER


async def test_a_failed_call_is_a_failed_span_without_a_traceback() -> None:
    world = World(sample_ratio=1.0)
    await ask(world.edge, "GET", f"{SHOW}/missing")
    for span in world.spans().values():
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "not-found")
        assert span.attributes is not None
        assert span.attributes["error.type"] == "not-found"
        assert span.events == ()


def test_it_applies_everywhere_and_documents_nothing() -> None:
    world = World()
    (policy, *_) = world.policies
    operation = operation_of(ShelvesV1.get_book)
    assert policy.enforce(operation, "local") is not None
    assert policy.document(operation).problems == ()
