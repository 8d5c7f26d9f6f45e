"""The instrumentor that ``opentelemetry-instrument`` finds: it turns the gateway's own spans on."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

requested = False
"""Whether an instrumentor asked for spans before the gateway was built."""


class TiergateInstrumentor(BaseInstrumentor):  # type: ignore[misc] - the base class is untyped
    """Asks a gateway that is built later to trace with the global tracer provider."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Nothing but the gateway itself."""
        return ()

    def _instrument(self, **_: Any) -> None:
        global requested
        requested = True

    def _uninstrument(self, **_: Any) -> None:
        global requested
        requested = False
