"""Sends to destinations that users supplied: judged, pinned, once.

Whoever delivers to them repeats by a schedule of its own, so nothing is repeated here, and no retry is spent.
"""

from __future__ import annotations

from governance.contract.refusals import DeadlineExceeded, SystemUnavailable
from governance.egress.exchange import Outgoing, Reply
from governance.egress.failures import ExchangeFailed, TooSlow
from governance.egress.figures import CLASSES, EgressFigures
from governance.egress.guard import Guard
from governance.egress.wire import Bounds, Wire

BOUNDS = Bounds(connect_s=3.0, read_s=10.0, total_s=15.0, most_bytes=65_536)
"""What is read of an answer is for a log at most."""


class GuardedClient:
    """One connection for each request, to the address that was judged."""

    def __init__(self, guard: Guard, figures: EgressFigures) -> None:
        self._guard = guard
        self._figures = figures

    async def judge(self, url: str) -> None:
        """Hold a URL to what ``send`` will hold it to again, for whoever supplies it.

        Raises:
            ForbiddenDestination: it may not be called.
        """
        await self._guard.judge(url)

    async def send(self, outgoing: Outgoing, bounds: Bounds = BOUNDS) -> Reply:
        """The answer of a destination, whatever its status.

        Raises:
            ForbiddenDestination: it may not be called.
            SystemUnavailable: no usable answer came.
            DeadlineExceeded: none came in time.
        """
        destination = await self._guard.judge(outgoing.url)
        wire = Wire(connections=1, address=destination.address)
        await wire.start()
        try:
            reply = await wire.exchange(
                Outgoing(method=outgoing.method, url=destination.url, body=outgoing.body), outgoing.headers, bounds
            )
        except ExchangeFailed as failure:
            self._figures.attempted("guarded", type(failure).__name__)
            if isinstance(failure, TooSlow):
                raise DeadlineExceeded(detail="The destination did not answer in time.") from failure
            raise SystemUnavailable(detail="The destination does not answer.") from failure
        finally:
            await wire.stop()
        self._figures.attempted("guarded", CLASSES[reply.status // 100])
        return reply
