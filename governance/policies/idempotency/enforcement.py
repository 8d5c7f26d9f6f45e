"""Idempotency at the served edge: a repeat under the same key gets the first answer and has no effect.

The first of three keepers. This one, the store, answers repeats: 409 while the first request runs,
422 for another payload, then the stored answer, marked ``Idempotency-Replayed: true``. The flow's id
and the unique reference in the system of record, both derived from the call's key, keep the
guarantee when the store has lost or never seen it. So the policy gives every keyed call its key,
and claims in the store only at the edge: a hop's key is already derived. What became of a key can be looked up.

Stored are 2xx and business refusals. An unknown outcome (5xx, deadline, a crash) releases the
claim; so does what was refused beside the work. A holder that dies frees the key with its lease,
and ``Retry-After`` of a 409 is the rest of that lease: by then the key is answered, free or renewed.
An answer that is too large to store leaves its fingerprint: another payload is refused as ever, a
repeat runs again under the same key, where flow id and record reference find what was made.

Standard: draft-ietf-httpapi-idempotency-key-header-07 §2.

When the store fails, ``on_store_failure`` holds: ``closed`` answers 503 before anything was done,
``open`` goes on with the other two keepers. A failure after the work costs only the replay.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Iterable, Mapping
from math import ceil
from typing import Any

from governance.call import (
    Accounts,
    Answer,
    Binding,
    Documented,
    Exchange,
    Finding,
    Handler,
    Policy,
    Principal,
    Probe,
    Stage,
    Wrap,
    edge_key,
)
from governance.contract.operation import Operation
from governance.contract.problems import NotFound, Problem, Refusal
from governance.contract.refusals import (
    IdempotencyInFlight,
    IdempotencyKeyReused,
    InvalidIdempotencyKey,
    MissingIdempotencyKey,
    SystemUnavailable,
)
from governance.policies.idempotency.claims import Claim, Claims, InFlight
from governance.policies.idempotency.document import documented
from governance.policies.idempotency.fingerprint import fingerprint_of
from governance.policies.idempotency.key import parse_key
from governance.policies.idempotency.lease import Lease
from governance.policies.idempotency.lookup import lookup_of
from governance.policies.idempotency.outcome import outcome_of, replay
from governance.policies.idempotency.repeats import repeats
from governance.policies.idempotency.settings import Settings
from governance.store import Store, StoreError, StoreRefused

logger = logging.getLogger("tiergate.idempotency")


class Enforcement(Policy):
    """Demands a key where the contract does, and runs each key once."""

    name = "idempotency"
    stage = Stage.REPLAY

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._claims = Claims(store, lease_s=settings.lease_s)

    def enforce(self, operation: Operation, binding: Binding) -> Wrap | None:
        """Applies to keyed operations when served; local calls derive their key from their caller's."""
        if binding != "served" or not operation.keyed:
            return None
        run = _Run(operation, self._claims, self._settings)

        def wrap(inner: Handler) -> Handler:
            def keyed(exchange: Exchange) -> Awaitable[Any]:
                key = parse_key(exchange.served.headers.get(b"idempotency-key"))
                call = exchange.under
                principal = call.principal
                if principal.acting_api is not None:
                    call.idempotency_key = key
                    return inner(exchange)
                call.idempotency_key = _edge_key(operation, principal, key)
                return run.once(exchange, call.idempotency_key, inner)

            return keyed

        return wrap

    def beside(self, operation: Operation) -> Iterable[tuple[Operation, object]]:
        """The read that tells what became of a key."""
        if operation.keyed:
            yield lookup_of(operation, self._claims, lambda key, who: _place(_edge_key(operation, who, key), who))

    def document(self, operation: Operation) -> Documented:
        """The header, its refusals, and the mark of a replay."""
        if not operation.keyed:
            return Documented()
        retention_s = self._settings.retention_of(operation.id)
        return documented(operation, retention_s, refuses_without_store=self._settings.on_store_failure == "closed")

    def prove(self, operation: Operation) -> Iterable[Probe]:
        """Without a key, and with one that is none, a keyed operation is refused."""
        if not operation.keyed:
            return
        yield _probe("ID-001", "A request without a key is refused", MissingIdempotencyKey, None)
        yield _probe("ID-002", "An empty key is refused", InvalidIdempotencyKey, '""')
        yield _probe("ID-003", "A key that is too long is refused", InvalidIdempotencyKey, f'"{"k" * 256}"')
        yield from repeats()

    def audit(self, operation: Operation) -> Iterable[Finding]:
        """Operations that opted out, with their reason, and retentions that no operation can use."""
        if operation.unkeyed_because:
            detail = f"It makes something and takes no Idempotency-Key: {operation.unkeyed_because}"
            yield Finding(id="ID-010", operation_id=operation.id, detail=detail, severity="warning")
        if not operation.keyed and operation.id in self._settings.retention_by_operation:
            detail = "retention_by_operation names it, but it takes no Idempotency-Key."
            yield Finding(id="ID-011", operation_id=operation.id, detail=detail)


class _Run:
    """One operation's way from claim to record."""

    def __init__(self, operation: Operation, claims: Claims, settings: Settings) -> None:
        self._operation = operation
        self._claims = claims
        self._settings = settings
        self._retention_s = settings.retention_of(operation.id)
        self._refusals: Mapping[str, type[Problem]] = {kind.type: kind for kind in (*operation.raises, NotFound)}

    async def once(self, exchange: Exchange, key: str, inner: Handler) -> Answer:
        try:
            found = await self._claims.claim(_place(key, exchange.under.principal), fingerprint_of(exchange.served))
        except StoreError as failure:
            return await self._without_store(exchange, inner, failure)
        if isinstance(found, Claim):
            return await self._first(exchange, found, inner)
        if isinstance(found, bytes):
            exchange.evidence["idempotency"] = "replayed"
            exchange.response_headers.append((b"idempotency-replayed", b"true"))
            return replay(found, self._refusals)
        if isinstance(found, InFlight):
            exchange.evidence["idempotency"] = "in flight"
            exchange.response_headers.append((b"retry-after", b"%d" % ceil(found.rest_ms / 1000)))
            raise IdempotencyInFlight(detail="Ask again with the same key to get its answer.")
        exchange.evidence["idempotency"] = found
        raise IdempotencyKeyReused(detail="This key was used for another request; a new request needs a new key.")

    async def _first(self, exchange: Exchange, claim: Claim, inner: Handler) -> Answer:
        lease = Lease(claim, self._claims.lease_s)
        outcome: bytes | None = None
        status = 0
        cancelled = False
        try:
            answer: Answer = await inner(exchange)
            outcome, status = outcome_of(answer), answer.status
            return answer
        except Refusal as refusal:
            outcome, status = outcome_of(refusal), refusal.status
            raise
        except asyncio.CancelledError:
            cancelled = True  # the process stops: no time to ask the store, the lease frees the key
            raise
        finally:
            lease.end()
            if not cancelled:
                exchange.evidence["idempotency"] = await self._settle(claim, outcome, status)

    async def _settle(self, claim: Claim, outcome: bytes | None, status: int) -> str:
        try:
            if outcome is None:
                await claim.release()
                return "released"
            fits = len(outcome) <= self._settings.largest_outcome_bytes
            if not await claim.record(outcome if fits else None, status=status, retention_s=self._retention_s):
                return "lost"
            return "recorded" if fits else "too large"
        except StoreError as failure:
            logger.warning("%s: the outcome of a key could not be stored: %s", self._operation.id, failure)
            return "unrecorded"

    async def _without_store(self, exchange: Exchange, inner: Handler, failure: StoreError) -> Answer:
        if isinstance(failure, StoreRefused):
            logger.error("the store refuses the scripts of idempotency: %s", failure)
        exchange.evidence["idempotency"] = self._settings.on_store_failure
        if self._settings.on_store_failure == "open":
            return await inner(exchange)
        exchange.response_headers.append((b"retry-after", b"1"))
        raise SystemUnavailable(
            detail="The key can't be judged right now; nothing was done. Repeat it with the same key."
        )


def _edge_key(operation: Operation, principal: Principal, key: str) -> str:
    ids = principal.accounts.ids
    return edge_key(principal.client_id, ids[0] if ids else "", operation.id, key)


def _place(key: str, principal: Principal) -> bytes:
    """Where the store keeps a key. A principal that sees other accounts than before finds nothing to replay."""
    accounts: Accounts = principal.accounts
    seen = "\0".join((key, accounts.reach, *sorted(accounts.ids)))
    return b"key2:" + hashlib.sha256(seen.encode("utf-8", "surrogatepass")).hexdigest().encode()


def _probe(control: str, title: str, problem: type[Problem], key: str | None) -> Probe:
    return Probe(
        control=control,
        title=title,
        expect_status=problem.status,
        expect_type=problem.type,
        without_headers=("Idempotency-Key",),
        with_headers=() if key is None else (("Idempotency-Key", key),),
    )
