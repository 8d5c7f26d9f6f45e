"""The HTTP client between tiers: one object for all other processes of this gateway.

A hop that was not answered at all is tried once more, where that is safe (a read, or a write under a
key) and the retry budget pays for it (``governance.egress.budget``). A problem that another process
answers is its last word: it has spent its retries, and nobody above multiplies them. A breaker
per process refuses at once while that process is away. Redirects are answers like any other;
cookies and proxies are unknown.

Failures are ``SystemUnavailable`` (nothing is known to have happened, the same key is safe again) and
``DeadlineExceeded``.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping

from governance.call.allowance import RETRIED_HEADER, RETRIES_HEADER
from governance.call.call import calling
from governance.call.clock import Clock, SystemClock
from governance.call.exchange import Answer
from governance.contract.problems import Problem
from governance.contract.refusals import DeadlineExceeded, SystemUnavailable
from governance.egress.breaker import Breaker, BreakerSettings
from governance.egress.budget import RetryBudget
from governance.egress.connection import Terms
from governance.egress.failures import Broken, ExchangeFailed, NotConnected, TooSlow
from governance.egress.figures import CLASSES, EgressFigures
from governance.egress.pool import Pool

PAUSE_S = 0.03
"""The longest pause before the second attempt (full jitter)."""
SAFE = frozenset({"GET", "HEAD"})
INTERMEDIARY = frozenset({502, 503, 504})
"""What a proxy in front of another process answers in its place."""
TERMS = Terms(most_bytes=64 * 1024 * 1024)
"""Another process of ours always says how long its answer is."""
HOPS = "hops"
"""What stands for the other processes among the figures."""
RETRIED = RETRIED_HEADER.lower().encode()
HOP_BREAKER = BreakerSettings(least=20, window_s=5.0, open_s=0.5, longest_open_s=5.0)
"""Another process of ours restarts within seconds, so it is asked again soon."""


class HopClient:
    """Sends calls to the other processes of this gateway. ``start`` it in the event loop that uses it."""

    def __init__(
        self,
        connections: int = 128,
        timeout_s: float = 30.0,
        *,
        budget: RetryBudget | None = None,
        clock: Clock | None = None,
        breaker: BreakerSettings = HOP_BREAKER,
        figures: EgressFigures | None = None,
    ) -> None:
        self._connections = connections
        self.timeout_s = timeout_s
        self._budget = budget or RetryBudget()
        self._monotonic = (clock or SystemClock()).monotonic
        self._breaker = breaker
        self._pools: dict[str, Pool] = {}
        self.breakers: dict[str, Breaker] = {}
        """Origin to its breaker."""
        self._figures = figures or EgressFigures()
        self._figures.watch(HOPS, self.breakers)
        self._started = False

    async def start(self) -> None:
        """Make it usable; connections are opened when they are needed."""
        self._started = True

    async def stop(self) -> None:
        """Close every connection."""
        self._started = False
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        await asyncio.sleep(0)  # asyncio closes an aborted connection in the loop's next turn

    async def send(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, timeout_s: float
    ) -> Answer:
        """One call of another process, tried twice at most, within ``timeout_s`` seconds altogether.

        Raises:
            SystemUnavailable: the other process can't be reached, broke the connection, or is known to be away.
            DeadlineExceeded: no answer came in time.
        """
        if not self._started:
            raise RuntimeError("the hop client is not started")
        cut = url.find("/", url.find("//") + 2)
        origin, target = url[:cut], url[cut:]
        retries = self._budget.of(calling())
        repeatable = method in SAFE or "Idempotency-Key" in headers
        until = self._monotonic() + timeout_s
        while True:
            lent = retries.take()
            headers[RETRIES_HEADER] = "1" if lent else "0"
            outcome = await self._attempt(origin, method, target, headers, body, until - self._monotonic())
            if lent and _unused(outcome):
                retries.give_back()
            if not (repeatable and _unanswered(outcome) and retries.take()):
                break
            repeatable = False
            self._figures.repeated(HOPS)
            await asyncio.sleep(random.uniform(0, PAUSE_S))  # noqa: S311 - jitter, no secret
        if isinstance(outcome, ExchangeFailed):
            raise _problem(outcome, timeout_s) from outcome
        return outcome

    async def _attempt(
        self, origin: str, method: str, target: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float
    ) -> Answer | ExchangeFailed:
        pool = self._pools.get(origin)
        if pool is None:
            pool = self._pools[origin] = Pool(origin, self._connections)
        breaker = self.breakers.get(origin)
        if breaker is None:
            breaker = self.breakers[origin] = Breaker(self._monotonic, self._breaker)
        request = pool.request(method, target, headers, body)
        refused_for_s = breaker.refused_for_s()
        if refused_for_s:
            raise SystemUnavailable(detail="Another tier of the gateway is away.", retry_after_s=refused_for_s)
        try:
            answer = await pool.exchange(request, timeout_s, timeout_s, TERMS)
        except ExchangeFailed as failure:
            self._figures.attempted(HOPS, type(failure).__name__)
            if _late(failure) and timeout_s < self.timeout_s:
                breaker.ended()  # its caller's deadline was short
            else:
                breaker.failed()
            return failure
        except BaseException:
            breaker.ended()
            raise
        self._figures.attempted(HOPS, CLASSES[answer.status // 100])
        if _of_an_intermediary(answer):
            breaker.failed()
        else:
            breaker.succeeded()
        return answer


def _unanswered(outcome: Answer | ExchangeFailed) -> bool:
    if isinstance(outcome, Answer):
        return _of_an_intermediary(outcome)
    return (isinstance(outcome, NotConnected) and not outcome.late) or (isinstance(outcome, Broken) and outcome.silent)


def _unused(outcome: Answer | ExchangeFailed) -> bool:
    """Whether the callee surely did not spend the retry that it was lent."""
    if isinstance(outcome, Answer):
        return not _of_an_intermediary(outcome) and all(name != RETRIED for name, _ in outcome.headers)
    return isinstance(outcome, NotConnected)


def _of_an_intermediary(answer: Answer) -> bool:
    return answer.status in INTERMEDIARY and not any(
        name == b"content-type" and value.startswith(b"application/problem+json") for name, value in answer.headers
    )


def _late(failure: ExchangeFailed) -> bool:
    return isinstance(failure, TooSlow) or (isinstance(failure, NotConnected) and failure.late)


def _problem(failure: ExchangeFailed, timeout_s: float) -> Problem:
    if _late(failure):
        return DeadlineExceeded(detail=f"Another tier did not answer within {timeout_s:g} s.")
    return SystemUnavailable(detail="Another tier of the gateway can't be reached.")
