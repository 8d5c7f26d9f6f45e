"""The way out to one system of record: what a connector holds in place of an HTTP client.

One call, read from the outside in: kept answers (``answers``), maintenance windows (``maintenance``), the breaker
of its endpoint (``breaker``), a place at the vendor (``places``), the exchange itself (``wire``), and
repeats that the retry budget pays for (``retries``, ``budget``). All of it ends within the call's deadline and
``total_timeout_s``.

What a connector sees: a ``Reply`` of any status but 429, 502, 503 and 504. These, and everything that is no
answer, are ``SystemUnavailable`` with the time after which to ask again, or ``DeadlineExceeded`` where
the call's time was used up. Whether a write happened is then unknown: the same key is safe.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from governance.call.call import Call, calling
from governance.call.clock import Clock
from governance.contract.problems import Problem
from governance.contract.refusals import DeadlineExceeded, SystemUnavailable
from governance.egress.answers import Answers
from governance.egress.breaker import Breaker
from governance.egress.budget import RetryBudget
from governance.egress.exchange import Caching, Outgoing, Reply
from governance.egress.failures import ExchangeFailed, NotConnected, TooSlow
from governance.egress.figures import CLASSES, EgressFigures
from governance.egress.maintenance import maintenance_left_s
from governance.egress.places import Place, Places
from governance.egress.retries import UNABLE, Outcome, pause_s, retry_after_s
from governance.egress.settings import Priority, VendorSettings
from governance.egress.wire import Bounds, Wire
from governance.store import Store
from governance.telemetry.tracing import Tracing

FAILING = UNABLE | {500}
"""Statuses that count against an endpoint."""
AWAY = "A system behind the gateway is away."
SLOW = "A system behind the gateway did not answer in time."


class Shared(Struct, frozen=True, kw_only=True):
    """What all ways out of a process have in common."""

    clock: Clock
    budget: RetryBudget
    store: Store | None
    figures: EgressFigures
    tracing: Tracing
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep


class VendorClient:
    """Calls one system of record. ``governance.egress.Egress`` makes, starts and stops it."""

    def __init__(self, vendor: str, settings: VendorSettings, shared: Shared, wire: Wire | None = None) -> None:
        self.vendor = vendor
        self._settings = settings
        self._shared = shared
        self._monotonic = shared.clock.monotonic
        self._wire = wire or Wire(ca_file=settings.ca_file)
        self._places = Places(vendor, settings, shared.store)
        self._answers = Answers(vendor, shared.store, shared.clock, lambda how: shared.figures.cached(vendor, how))
        self._breakers: dict[str, Breaker] = {}
        shared.figures.watch(vendor, self._breakers)

    async def start(self) -> None:
        """Open it in the running event loop."""
        await self._wire.start()

    async def stop(self) -> None:
        """Give back what is held and close every connection."""
        await self._answers.stop()
        await self._places.stop()
        await self._wire.stop()

    async def request(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        key: str = "",
        caching: Caching | None = None,
        endpoint: str = "",
    ) -> Reply:
        """``send``, for a request with parameters and a JSON body in plain terms.

        Raises:
            SystemUnavailable, DeadlineExceeded: as ``send``.
        """
        named = dict(headers or {})
        body = None
        if json is not None:
            body = msgspec.json.encode(json)
            named.setdefault("Content-Type", "application/json")
        whole = f"{url}?{urlencode(query)}" if query else url
        return await self.send(
            Outgoing(method=method, url=whole, headers=named, body=body, key=key, caching=caching, endpoint=endpoint)
        )

    async def send(self, outgoing: Outgoing) -> Reply:
        """The vendor's answer, or a kept one where ``outgoing`` allows.

        Raises:
            SystemUnavailable: no usable answer came, or none may be asked for now.
            DeadlineExceeded: the call's time was used up.
        """
        call = calling()
        within_s = self._settings.total_timeout_s
        if call is not None and call.deadline is not None:
            within_s = min(within_s, call.deadline - self._monotonic())
        if outgoing.caching is None or outgoing.method != "GET":
            return await self._fetch(outgoing, within_s)
        return await self._answers.read(outgoing, outgoing.caching, self._fetch_for_all, within_s)

    async def invalidate(self, *tags: str) -> None:
        """Make every kept answer about ``tags`` void, in all processes.

        Raises:
            StoreError: the store is away; nothing is known to be void.
        """
        await self._answers.invalidate(tags)

    async def _fetch_for_all(self, outgoing: Outgoing) -> Reply:
        return await self._fetch(outgoing, self._settings.total_timeout_s)

    async def _fetch(self, outgoing: Outgoing, within_s: float) -> Reply:
        self._refuse_in_maintenance()
        call = calling()
        retries = self._shared.budget.of(call)
        until = self._monotonic() + within_s
        breaker = self._breaker(outgoing)
        attempt = 1
        while True:
            outcome = await self._attempt(outgoing, breaker, call, until)
            now = self._shared.clock.now()
            wait_s = pause_s(outcome, attempt, now)
            if (
                wait_s is None
                or not outgoing.repeatable
                or attempt >= self._settings.attempts
                or self._monotonic() + wait_s >= until
                or not retries.take()
            ):
                return self._final(outcome)
            attempt += 1
            self._shared.figures.repeated(self.vendor)
            await self._shared.pause(wait_s)

    async def _attempt(self, outgoing: Outgoing, breaker: Breaker, call: Call | None, until: float) -> Outcome:
        if breaker.open_for_s:
            raise SystemUnavailable(detail=AWAY, retry_after_s=breaker.open_for_s)
        place = await self._place(call, until)
        try:
            refused_for_s = breaker.refused_for_s()
            if refused_for_s:
                raise SystemUnavailable(detail=AWAY, retry_after_s=refused_for_s)
            left_s = until - self._monotonic()
            if left_s <= 0:
                breaker.ended()
                raise DeadlineExceeded(detail=SLOW)
            return await self._exchange(outgoing, breaker, call, left_s)
        finally:
            if place is not None:
                self._places.give_back(place)

    async def _exchange(self, outgoing: Outgoing, breaker: Breaker, call: Call | None, left_s: float) -> Outcome:
        settings = self._settings
        bounds = Bounds(
            connect_s=settings.connect_timeout_s,
            read_s=settings.read_timeout_s,
            total_s=left_s,
            most_bytes=settings.max_answer_bytes,
        )
        headers = dict(outgoing.headers)
        if outgoing.key:
            headers.setdefault("Idempotency-Key", f'"{outgoing.key}"')
        name = f"{outgoing.method} {self.vendor}"
        try:
            with self._shared.tracing.leaving(name, call.traceparent if call else None) as traceparent:
                if traceparent:
                    headers["traceparent"] = traceparent
                reply = await self._wire.exchange(outgoing, headers, bounds)
        except ExchangeFailed as failure:
            self._shared.figures.attempted(self.vendor, type(failure).__name__)
            if _late(failure) and left_s < min(settings.read_timeout_s, settings.connect_timeout_s):
                breaker.ended()  # its caller's deadline was short
            else:
                breaker.failed()
            return failure
        except BaseException:
            breaker.ended()
            raise
        self._shared.figures.attempted(self.vendor, CLASSES[reply.status // 100])
        if reply.status == 429:
            breaker.ended()
        elif reply.status in FAILING:
            breaker.failed()
        else:
            breaker.succeeded()
        return reply

    async def _place(self, call: Call | None, until: float) -> Place | None:
        if not self._places.limited:
            return None
        began = self._monotonic()
        priority = self._priority(call)
        try:
            return await self._places.take(priority, until - began)
        finally:
            self._shared.figures.waited(self.vendor, priority, self._monotonic() - began)

    def _priority(self, call: Call | None) -> Priority:
        priorities = self._settings.priorities
        if call is None or not priorities:
            return "normal"
        by_api = priorities.get(call.principal.acting_api or "")
        return by_api or priorities.get(call.on_behalf_of.client_id, "normal")

    def _breaker(self, outgoing: Outgoing) -> Breaker:
        endpoint = outgoing.endpoint or urlsplit(outgoing.url).netloc
        breaker = self._breakers.get(endpoint)
        if breaker is None:
            breaker = self._breakers[endpoint] = Breaker(self._monotonic, self._settings.breaker)
        return breaker

    def _refuse_in_maintenance(self) -> None:
        if self._settings.maintenance:
            left_s = maintenance_left_s(self._settings.maintenance, self._shared.clock.now())
            if left_s:
                raise SystemUnavailable(
                    detail="A system behind the gateway is under maintenance.", retry_after_s=left_s
                )

    def _final(self, outcome: Outcome) -> Reply:
        if isinstance(outcome, ExchangeFailed):
            raise _problem(outcome) from outcome
        if outcome.status == 429 or outcome.status in UNABLE:
            asked_s = retry_after_s(outcome, self._shared.clock.now())
            raise SystemUnavailable(
                detail="A system behind the gateway can't answer now.",
                retry_after_s=1.0 if asked_s is None else asked_s,
            )
        return outcome


def _late(failure: ExchangeFailed) -> bool:
    return isinstance(failure, TooSlow) or (isinstance(failure, NotConnected) and failure.late)


def _problem(failure: ExchangeFailed) -> Problem:
    return DeadlineExceeded(detail=SLOW) if isinstance(failure, TooSlow) else SystemUnavailable(detail=AWAY)
