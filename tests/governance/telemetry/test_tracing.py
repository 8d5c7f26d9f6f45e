"""Tracing: off until it is switched on, and what counts as a caller's decision."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from governance.call import Call, Exchange, Principal, Request
from governance.contract import operation_of
from governance.telemetry import Tracing, instrumentor
from governance.telemetry.instrumentor import TiergateInstrumentor
from tests.governance.bindings.sample_apis import ShelvesV1

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"
OPERATION = operation_of(ShelvesV1.get_book)
TRACER = TracerProvider().get_tracer("test")


async def nothing() -> Any:
    raise AssertionError("nobody reads the body")


def served(traceparent: str | None) -> Exchange:
    headers = [(b"traceparent", traceparent.encode("latin-1"))] if traceparent is not None else []
    request = Request(method="GET", path="/", query=b"", raw_headers=headers, peer="::1", receive=nothing)
    return Exchange(OPERATION, "served", request)


def local(traceparent: str | None) -> Exchange:
    exchange = Exchange(OPERATION, "local")
    principal = Principal(subject="s", client_id="c")
    exchange.call = Call(principal=principal, operation_id=OPERATION.id, traceparent=traceparent)
    return exchange


def test_tracing_is_off_without_a_tracer() -> None:
    tracing = Tracing(sample_ratio=1.0)
    assert not tracing.on
    assert not tracing.sampled(served(f"00-{TRACE}-01"))
    with pytest.raises(RuntimeError, match="tracing is off"), tracing.span(served(None)):
        pass
    tracing = Tracing(sample_ratio=1.0, tracer=TRACER)
    assert tracing.on
    assert tracing.sampled(served(None))


@pytest.mark.parametrize("exchange_of", [served, local])
@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("03", True), ("02", False), ("ff", True)])
def test_the_callers_decision_stands(exchange_of: Any, flags: str, sampled: bool) -> None:
    for ratio in (0.0, 1.0):
        assert Tracing(sample_ratio=ratio, tracer=TRACER).sampled(exchange_of(f"00-{TRACE}-{flags}")) is sampled


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "00",
        f"00-{TRACE}",
        f"00-{TRACE}-1",
        f"00-{TRACE.upper()}-01",
        f"00-{TRACE}-01-x",
        "\xff",
        f"00-{TRACE}-0g",
    ],
)
def test_what_is_no_traceparent_decides_nothing(given: str | None) -> None:
    assert Tracing(sample_ratio=1.0, tracer=TRACER).sampled(served(given))
    assert not Tracing(sample_ratio=0.0, tracer=TRACER).sampled(served(given))


def test_an_inner_call_never_begins_a_trace() -> None:
    assert not Tracing(sample_ratio=1.0, tracer=TRACER).sampled(local(None))


def test_the_instrumentor_asks_for_tracing() -> None:
    agent = TiergateInstrumentor()
    assert agent.instrumentation_dependencies() == ()
    agent.instrument(skip_dep_check=True)
    try:
        assert instrumentor.requested
    finally:
        agent.uninstrument()
    assert not instrumentor.requested
