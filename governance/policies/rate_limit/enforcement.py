"""The rate limit: rates and quotas in one atomic script on the store's clock, exact over all processes.

Guarantees: of every rate, in any span t, at most burst + ⌊t / interval⌋ units are admitted at the edge
(GCRA); of every quota at most its amount in a calendar day or month of its zone. All limits of a call
admit it or none is charged, so a call refused here costs nothing. An operation takes its declared
cost, and is held to a limit of its own where one is declared, inner calls included. One round trip
a call, and never the process's own clock. The key is the client's id, whatever address it calls from.

Every answer to a client that is known carries both header fields: a call that an earlier stage
refused (403, 410) is charged like any other, so that refusals can't be had without limit, but its
refusal stands.

Standards: RFC 6585 §4 (429), RFC 9110 §10.2.3 (Retry-After), draft-ietf-httpapi-ratelimit-headers-11.

When the store fails, ``on_store_failure`` holds within the store client's answer time: ``open``
admits, ``closed`` answers 503, ``local`` limits in this process to the declared share. Metrics count these calls.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterable
from typing import Any

from governance.call import Binding, Clock, Documented, Exchange, Finding, Handler, Policy, Probe, Stage, Wrap
from governance.contract.operation import Operation
from governance.contract.refusals import RateLimited, SystemUnavailable
from governance.policies.rate_limit.audit import findings
from governance.policies.rate_limit.book import Book, declared
from governance.policies.rate_limit.document import documented
from governance.policies.rate_limit.local import LocalBuckets
from governance.policies.rate_limit.probes import probes
from governance.policies.rate_limit.settings import Plans, Settings
from governance.policies.rate_limit.terms import Terms, Verdict, retry_after_s
from governance.policies.rate_limit.unjudged import Unjudged
from governance.store import Script, Store, StoreError, StoreRefused
from governance.telemetry import CallMetrics

LIMITS = Script[Verdict].load("governance.policies.rate_limit", "limits.lua")
JUDGED = "rate_limit"
"""What the exchange notes when the store could not judge: the mode that held instead."""

logger = logging.getLogger("tiergate.rate_limit")


class Enforcement(Policy):
    """Limits every client at the edge, and every caller of an operation that declares a limit."""

    name = "rate_limit"
    stage = Stage.LIMIT

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        plans: Plans | None = None,
        metrics: CallMetrics | None = None,
    ) -> None:
        store.prepare(LIMITS)
        self._settings = settings
        self._store = store
        self._clock = clock
        self._plans = plans
        self._local = LocalBuckets(clock)
        self._unjudged = Unjudged(store, settings.on_store_failure)
        if metrics is not None:
            metrics.include(self._unjudged)
        self._books: dict[Operation, Book] = {}

    def enforce(self, operation: Operation, binding: Binding) -> Wrap | None:
        """Edge calls are always limited, inner calls only where the operation declares a limit."""
        if binding == "local" and not operation.limit:
            return None
        book = self._book(operation)

        def wrap(inner: Handler) -> Handler:
            def limited(exchange: Exchange) -> Awaitable[Any]:
                principal = exchange.under.principal
                client_id = principal.client_id
                terms = book.edge(client_id) if principal.acting_api is None else book.inner(client_id)
                return inner(exchange) if terms is None else self._admit(exchange, terms, client_id, inner)

            return limited

        return wrap

    async def refused(self, exchange: Exchange) -> None:
        """Charge a client's call that was refused before its turn, and announce what is left."""
        if exchange.call is None or exchange.call.principal.acting_api is not None or _judged(exchange):
            return
        client_id = exchange.call.principal.client_id
        terms = self._book(exchange.operation).edge(client_id)
        try:
            verdict = await self._judge(terms, terms.keys(client_id))
        except StoreError:
            return  # its refusal stands, and says nothing about limits
        terms.announce(exchange.response_headers, verdict)

    def _book(self, operation: Operation) -> Book:
        book = self._books.get(operation)
        if book is None:
            now_us = int(self._clock.now().timestamp() * 1_000_000)
            book = self._books[operation] = Book(operation, self._settings, self._plans, now_us)
        return book

    async def _admit(self, exchange: Exchange, terms: Terms, client_id: str, inner: Handler) -> Any:
        keys = terms.keys(client_id)
        try:
            verdict = await self._store.run(LIMITS, keys, terms.arguments)
            if verdict[0] < 0 or verdict[1] >= terms.until_us:
                verdict = await self._turned(terms, keys, verdict)
        except StoreError as failure:
            verdict = self._without_store(exchange, terms, keys, failure)
        else:
            terms.announce(exchange.response_headers, verdict)
        if verdict[0] == 1:
            return await inner(exchange)
        wait_s = retry_after_s(verdict)
        exchange.response_headers.append((b"retry-after", b"%d" % wait_s))
        names = " and ".join(terms.exceeded(verdict)) or "this process"
        raise RateLimited(detail=f"The limit of {names} is spent: the next call is admitted in {wait_s} s.")

    async def _judge(self, terms: Terms, keys: list[bytes]) -> Verdict:
        verdict = await self._store.run(LIMITS, keys, terms.arguments)
        return verdict if verdict[0] >= 0 and verdict[1] < terms.until_us else await self._turned(terms, keys, verdict)

    async def _turned(self, terms: Terms, keys: list[bytes], verdict: Verdict) -> Verdict:
        """The verdict once the quotas stand in the store's period; it is asked again only if it could not tell."""
        terms.turn(verdict[1])
        if verdict[0] >= 0:
            return verdict
        verdict = await self._store.run(LIMITS, keys, terms.arguments)
        if verdict[0] < 0:
            raise StoreRefused("its clock jumps from one period of a quota to another and back")
        return verdict

    def _without_store(self, exchange: Exchange, terms: Terms, keys: list[bytes], failure: StoreError) -> Verdict:
        if isinstance(failure, StoreRefused):
            logger.error("the store refuses the rate limit's script: %s", failure)
        mode = self._settings.on_store_failure
        self._unjudged.calls += 1
        exchange.evidence[JUDGED] = mode
        if mode == "closed":
            exchange.response_headers.append((b"retry-after", b"1"))
            raise SystemUnavailable(detail="The rate limit can't be judged right now.")
        if mode == "open":
            return [1]
        shares = terms.share(self._settings.local_share)
        verdict = self._local.take(keys, shares)
        shares.announce(exchange.response_headers, verdict)
        return verdict

    def document(self, operation: Operation) -> Documented:
        """429 with Retry-After, the two header fields, and the limits themselves as ``x-rate-limit``."""
        limits = {"client": self._settings.limit_for(operation.tier)}
        own = declared(operation)
        if own is not None:
            limits["operation"] = own
        closed = self._settings.on_store_failure == "closed"
        return documented(limits, operation.cost, refuses_without_store=closed)

    def prove(self, operation: Operation) -> Iterable[Probe]:
        """Both header fields on answers and refusals, and an end of every burst."""
        return probes(operation, self._settings.limit_for(operation.tier))

    def audit(self, operation: Operation) -> Iterable[Finding]:
        """A declared limit that can't be read or reached, and costs that no limit ever admits."""
        return findings(operation, self._settings.limit_for(operation.tier))


def _judged(exchange: Exchange) -> bool:
    return JUDGED in exchange.evidence or any(name == b"ratelimit" for name, _ in exchange.response_headers)
