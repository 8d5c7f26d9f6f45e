"""Spans by OpenTelemetry, one a call, written by hand where it counts.

The sampling decision is taken once, where a request comes in, and before anything else: a call that
is not sampled costs no span. W3C Trace Context goes on from the caller's ``traceparent`` and travels
in the ``Call`` through every binding; inner calls follow the decision and never begin a trace.

Standard: W3C Trace Context, §3.2 (traceparent).
"""

from __future__ import annotations

import random
import re
from collections.abc import Generator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer

from governance.call import Exchange

TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})\Z")
SAMPLED = 0x01


class Tracing:
    """Starts spans while it is on; ``sample_ratio`` is the share of requests without a caller's decision."""

    def __init__(self, *, sample_ratio: float = 0.0, tracer: Tracer | None = None) -> None:
        self._ratio = sample_ratio if tracer is not None else 0.0
        self._tracer = tracer

    @property
    def on(self) -> bool:
        """Whether any call can be sampled."""
        return self._tracer is not None

    def sampled(self, exchange: Exchange) -> bool:
        """Whether a call gets a span: its caller's decision; by ratio where a request brings none."""
        if self._tracer is None:
            return False
        given = _traceparent(exchange)
        match = TRACEPARENT.match(given) if given else None
        if match:
            return bool(int(match[3], 16) & SAMPLED)
        return exchange.binding == "served" and random.random() < self._ratio  # noqa: S311 - no secret

    @contextmanager
    def span(self, exchange: Exchange) -> Generator[trace.Span]:
        """A span around the call; its context replaces the caller's ``traceparent``, so inner spans stand below it."""
        if self._tracer is None:
            raise RuntimeError("tracing is off")
        operation = exchange.operation
        call = exchange.call
        parent = _parent(_traceparent(exchange))
        kind = SpanKind.SERVER if exchange.binding == "served" else SpanKind.INTERNAL
        attributes = {"tiergate.tier": operation.tier, "tiergate.operation": operation.id}
        with self._tracer.start_as_current_span(
            operation.id,
            parent,
            kind=kind,
            attributes=attributes,
            record_exception=False,  # a problem is an answer: its type is noted, its traceback belongs to the log
            set_status_on_exception=False,
        ) as span:
            context = span.get_span_context()
            position = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
            if call is not None:
                call.traceparent = position
            else:  # a request: identify makes its call from the headers
                exchange.served.headers[b"traceparent"] = position.encode()
            yield span

    @contextmanager
    def leaving(self, name: str, traceparent: str | None) -> Generator[str | None]:
        """A client span below ``traceparent`` where that is sampled; gives the position to send on."""
        match = TRACEPARENT.match(traceparent) if traceparent else None
        if self._tracer is None or match is None or not int(match[3], 16) & SAMPLED:
            yield traceparent
            return
        with self._tracer.start_as_current_span(
            name, _parent(traceparent), kind=SpanKind.CLIENT, record_exception=False
        ) as span:
            context = span.get_span_context()
            yield f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def failed(span: trace.Span, problem_type: str) -> None:
    """Mark a span with the problem that ended its call."""
    span.set_attribute("error.type", problem_type)
    span.set_status(Status(StatusCode.ERROR, problem_type))


def _traceparent(exchange: Exchange) -> str | None:
    if exchange.call is not None:
        return exchange.call.traceparent
    value = exchange.served.headers.get(b"traceparent")
    return value.decode("latin-1") if value else None


def _parent(traceparent: str | None) -> Context | None:
    match = TRACEPARENT.match(traceparent) if traceparent else None
    if match is None:
        return None
    context = SpanContext(
        int(match[1], 16), int(match[2], 16), is_remote=True, trace_flags=TraceFlags(int(match[3], 16))
    )
    return trace.set_span_in_context(NonRecordingSpan(context))
