"""The rate limit: GCRA in one atomic script on the store's clock, exact over all processes.

Guarantees: per client and tier, in any span t, at most burst + ⌊t / interval⌋ calls are admitted at
the edge; a refused call costs nothing. An operation that declares a limit of its own is held to
it too, inner calls included; both admit or neither is charged. One round trip a call.

Standards: RFC 6585 §4 (429), RFC 9110 §10.2.3 (Retry-After), draft-ietf-httpapi-ratelimit-headers-11.

When the store fails, ``on_store_failure`` holds within the store client's answer time: ``open``
admits, ``closed`` answers 503, ``local`` limits in this process to the declared share.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterable
from typing import Any

from governance.call import Binding, Clock, Documented, Exchange, Finding, Handler, Policy, Probe, Stage, Wrap
from governance.contract.operation import Operation, Tier
from governance.contract.refusals import RateLimited, SystemUnavailable
from governance.policies.rate_limit.bucket import Bucket, Verdict, announce, retry_after_s
from governance.policies.rate_limit.document import documented
from governance.policies.rate_limit.limit import RateLimit
from governance.policies.rate_limit.local import LocalBuckets
from governance.policies.rate_limit.settings import Plans, Settings
from governance.store import Script, Store, StoreError, StoreRefused

GCRA = Script[list[int]].load("governance.policies.rate_limit", "gcra.lua")

logger = logging.getLogger("tiergate.rate_limit")


class Enforcement(Policy):
    """Limits every client at the edge, and every caller of an operation that declares a limit."""

    name = "rate_limit"
    stage = Stage.LIMIT

    def __init__(self, settings: Settings, store: Store, clock: Clock, plans: Plans | None = None) -> None:
        store.prepare(GCRA)
        self._settings = settings
        self._store = store
        self._plans = plans
        self._local = LocalBuckets(clock)
        self._planned: dict[tuple[Tier, RateLimit], Bucket] = {}
        self._shares: dict[Bucket, Bucket] = {}

    def enforce(self, operation: Operation, binding: Binding) -> Wrap | None:
        """Edge calls are always limited, inner calls only where the operation declares a limit."""
        own = _declared(operation)
        if binding == "local" and own is None:
            return None
        tier = operation.tier
        default = Bucket.of(tier, self._settings.limit_for(tier))

        def wrap(inner: Handler) -> Handler:
            def limited(exchange: Exchange) -> Awaitable[Any]:
                principal = exchange.under.principal
                client_id = principal.client_id
                if principal.acting_api is None:
                    edge = self._bucket(client_id, tier) or default
                    if own is None:
                        return self._admit(exchange, (edge,), (edge.key(client_id),), inner)
                    buckets = (edge, own)
                elif own is None:
                    return inner(exchange)
                else:
                    buckets = (own,)
                return self._admit(exchange, buckets, tuple([bucket.key(client_id) for bucket in buckets]), inner)

            return limited

        return wrap

    def _bucket(self, client_id: str, tier: Tier) -> Bucket | None:
        limit = self._plans.limit_for(client_id, tier) if self._plans is not None else None
        if limit is None:
            return None
        bucket = self._planned.get((tier, limit))
        if bucket is None:
            bucket = self._planned[tier, limit] = Bucket.of(tier, limit)
        return bucket

    async def _admit(
        self, exchange: Exchange, buckets: tuple[Bucket, ...], keys: tuple[bytes, ...], inner: Handler
    ) -> Any:
        arguments = buckets[0].arguments if len(buckets) == 1 else [part for each in buckets for part in each.arguments]
        try:
            verdict = await self._store.run(GCRA, keys, arguments)
        except StoreError as failure:
            verdict = self._without_store(exchange, buckets, keys, failure)
        else:
            announce(exchange.response_headers, buckets, verdict)
        if verdict[0] != 1:
            wait_s = retry_after_s(verdict)
            exchange.response_headers.append((b"retry-after", b"%d" % wait_s))
            raise RateLimited(detail=f"The next call is admitted in {wait_s} s.")
        return await inner(exchange)

    def _without_store(
        self, exchange: Exchange, buckets: tuple[Bucket, ...], keys: tuple[bytes, ...], failure: StoreError
    ) -> Verdict:
        if isinstance(failure, StoreRefused):
            logger.error("the store refuses the rate limit's script: %s", failure)
        mode = self._settings.on_store_failure
        exchange.evidence["rate_limit"] = mode
        if mode == "closed":
            exchange.response_headers.append((b"retry-after", b"1"))
            raise SystemUnavailable(detail="The rate limit can't be judged right now.")
        if mode == "open":
            return [1]
        shares = tuple(map(self._share, buckets))
        verdict = self._local.take(keys, shares)
        announce(exchange.response_headers, shares, verdict)
        return verdict

    def _share(self, bucket: Bucket) -> Bucket:
        share = self._shares.get(bucket)
        if share is None:
            share = Bucket.of(bucket.name, bucket.limit.share(self._settings.local_share))
            self._shares[bucket] = share
        return share

    def document(self, operation: Operation) -> Documented:
        """429 with Retry-After, the two header fields, and the limits themselves as ``x-rate-limit``."""
        limits = {"client": self._settings.limit_for(operation.tier)}
        own = _declared(operation)
        if own is not None:
            limits["operation"] = own.limit
        return documented(limits, refuses_without_store=self._settings.on_store_failure == "closed")

    def prove(self, operation: Operation) -> Iterable[Probe]:
        """A burst and one more in a row must end in 429. Run it as a client whose plan has a small burst."""
        limit = self._settings.limit_for(operation.tier)
        yield Probe(
            control="RL-001",
            title="A client that spends its burst is refused",
            expect_status=RateLimited.status,
            expect_type=RateLimited.type,
            repeat=limit.burst + 1,
        )

    def audit(self, operation: Operation) -> Iterable[Finding]:
        """A declared limit that can't be read, or that no client of the edge can reach."""
        if not operation.limit:
            return
        try:
            own = RateLimit.parse(operation.limit)
        except ValueError as error:
            yield Finding(id="RL-010", operation_id=operation.id, detail=str(error))
            return
        edge = self._settings.limit_for(operation.tier)
        if own.burst > edge.burst and own.interval_us < edge.interval_us:
            yield Finding(
                id="RL-011",
                operation_id=operation.id,
                detail=f"Its limit {operation.limit!r} is wider than the {operation.tier} tier's, which is met first.",
                severity="warning",
            )


def _declared(operation: Operation) -> Bucket | None:
    return Bucket.of(operation.id, RateLimit.parse(operation.limit)) if operation.limit else None
