"""The hop log: the last calls of this process, of every tier and binding, in memory.

It answers "what happened in this request" without any telemetry back end: the demo narrates from
it, operations people look a request id up in it. It is bounded and forgets the oldest.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct

CAPACITY = 8_192


class Hop(Struct, frozen=True, kw_only=True):
    """One call of one operation."""

    request_id: str
    tier: str
    operation: str
    binding: str
    caller: str
    """The calling API, or the client at the edge."""
    outcome: str
    """``ok`` or the problem's type."""
    started_s: float
    """Monotonic seconds, comparable within one process only."""
    duration_ms: float


class HopLog:
    """The last ``CAPACITY`` hops."""

    def __init__(self) -> None:
        self._hops: deque[Hop] = deque(maxlen=CAPACITY)
        self.add = self._hops.append

    def of(self, request_id: str) -> tuple[Hop, ...]:
        """The hops of one request, in the order in which they began."""
        found = [hop for hop in list(self._hops) if hop.request_id == request_id]
        return tuple(sorted(found, key=lambda hop: hop.started_s))
