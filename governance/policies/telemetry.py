"""Telemetry: every call leaves a hop, counts and, where sampled, a span.

Stands outermost, so refusals of every other policy are seen too. It adds nothing to answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from governance.call import Answer, Binding, Clock, Exchange, Handler, Policy, Stage, Wrap
from governance.contract.operation import Operation
from governance.contract.problems import Problem
from governance.telemetry import CallMetrics, Hop, HopLog, Tracing
from governance.telemetry.tracing import failed

OK = "ok"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[policies.telemetry]``: nothing to set; where spans go is in ``[telemetry]``."""


class Enforcement(Policy):
    """Notes what became of every call."""

    name = "telemetry"
    stage = Stage.RECORD

    def __init__(self, settings: Settings, clock: Clock, hops: HopLog, metrics: CallMetrics, tracing: Tracing) -> None:
        self._clock = clock
        self._hops = hops
        self._metrics = metrics
        self._tracing = tracing

    def enforce(self, operation: Operation, binding: Binding) -> Wrap:
        """Applies to every operation in every binding."""
        note = self._noter(operation, binding)
        tracing = self._tracing

        def wrap(inner: Handler) -> Handler:
            async def recorded(exchange: Exchange) -> Any:
                if tracing.on and tracing.sampled(exchange):
                    return await traced(exchange)
                try:
                    result = await inner(exchange)
                except Problem as problem:
                    note(exchange, problem.type)
                    raise
                note(exchange, _outcome(exchange, result))
                return result

            async def traced(exchange: Exchange) -> Any:
                with tracing.span(exchange) as span:
                    try:
                        result = await inner(exchange)
                    except Problem as problem:
                        note(exchange, problem.type)
                        failed(span, problem.type)
                        raise
                    outcome = _outcome(exchange, result)
                    note(exchange, outcome)
                    if outcome != OK:
                        failed(span, outcome)
                    return result

            return recorded

        return wrap

    def _noter(self, operation: Operation, binding: Binding) -> Callable[[Exchange, str], None]:
        add, monotonic = self._hops.add, self._clock.monotonic
        count = self._metrics.series(operation.id, binding).note
        tier, operation_id = operation.tier, operation.id

        def note(exchange: Exchange, outcome: str) -> None:
            duration_s = monotonic() - exchange.started
            count(duration_s, outcome)
            call = exchange.call
            add(
                Hop(
                    request_id=call.request_id if call else exchange.evidence.get("request_id", ""),
                    tier=tier,
                    operation=operation_id,
                    binding=binding,
                    caller=(call.principal.acting_api or call.principal.client_id) if call else "",
                    outcome=outcome,
                    started_s=exchange.started,
                    duration_ms=duration_s * 1000,
                )
            )

        return note


def _outcome(exchange: Exchange, result: Any) -> str:
    if exchange.binding == "served" and isinstance(result, Answer) and result.status >= 400:
        return str(exchange.evidence.get("problem", result.status))
    return OK
