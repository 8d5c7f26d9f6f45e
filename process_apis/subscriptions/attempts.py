"""One attempt: a request to the subscriber's endpoint through the guard, and what came of it.

Every 2xx is taken as received. A redirect is a failure, because what was judged is what is called; 410
means that the endpoint is gone for good.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from governance.call import Clock
from governance.contract import Problem
from governance.contract.refusals import DeadlineExceeded
from governance.egress import ForbiddenDestination, GuardedClient, Outgoing
from governance.egress.guarded import BOUNDS
from governance.egress.wire import Bounds

EXCERPT = 500
"""Characters of an answer that are kept."""
GONE = 410


class Attempt(Struct, frozen=True, kw_only=True):
    """What came of one attempt."""

    outcome: str
    """``delivered``, ``refused`` (a status that is no 2xx), ``unreachable``, ``too_slow`` or ``forbidden``."""
    status: int = 0
    """The HTTP status; 0 where no answer came."""
    duration_ms: int = 0
    excerpt: str = ""
    headers: Mapping[str, str] = {}

    @property
    def delivered(self) -> bool:
        """Whether the endpoint has it."""
        return self.outcome == "delivered"

    @property
    def gone(self) -> bool:
        """Whether the endpoint asked to be left alone (RFC 9110 §15.5.11)."""
        return self.status == GONE


class Attempts:
    """Makes attempts."""

    def __init__(self, way_out: GuardedClient, clock: Clock, bounds: Bounds = BOUNDS) -> None:
        self._way_out = way_out
        self._bounds = bounds
        self._monotonic = clock.monotonic

    async def make(self, request: Outgoing) -> Attempt:
        """Send once."""
        began = self._monotonic()
        try:
            reply = await self._way_out.send(request, self._bounds)
        except ForbiddenDestination as error:
            return self._ended(began, "forbidden", excerpt=str(error))
        except DeadlineExceeded as error:
            return self._ended(began, "too_slow", excerpt=error.detail)
        except Problem as problem:
            return self._ended(began, "unreachable", excerpt=problem.detail)
        text = reply.body[: EXCERPT * 4].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
        return self._ended(began, "delivered" if reply.ok else "refused", reply.status, text[:EXCERPT], reply.headers)

    def _ended(
        self, began: float, outcome: str, status: int = 0, excerpt: str = "", headers: Mapping[str, str] | None = None
    ) -> Attempt:
        duration_ms = round((self._monotonic() - began) * 1_000)
        return Attempt(outcome=outcome, status=status, duration_ms=duration_ms, excerpt=excerpt, headers=headers or {})
