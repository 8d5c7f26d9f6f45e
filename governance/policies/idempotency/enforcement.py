"""Idempotency at the served edge: a repeat under the same key gets the first answer and has no effect.

The first of three keepers. This one, the store, answers repeats: 409 while the first request runs,
422 for another payload, then the stored answer, marked ``Idempotency-Replayed: true``. The flow's id
and the unique reference in the system of record, both derived from the call's key, keep the
guarantee when the store has lost or never seen it. So the policy gives every keyed call its key,
and claims in the store only at the edge: a hop's key is already derived.

Stored are 2xx and business refusals. An unknown outcome (5xx, deadline, a crash) releases the
claim; so does what was refused beside the work. A holder that dies frees the key with its lease.

Standard: draft-ietf-httpapi-idempotency-key-header-07 §2.

When the store fails, ``on_store_failure`` holds: ``closed`` answers 503 before anything was done,
``open`` goes on with the other two keepers. A failure after the work costs only the replay.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Iterable, Mapping
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
from governance.policies.idempotency.claims import Claim, Claims
from governance.policies.idempotency.document import documented
from governance.policies.idempotency.fingerprint import fingerprint_of
from governance.policies.idempotency.key import parse_key
from governance.policies.idempotency.lease import Lease
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
                ids = principal.accounts.ids
                call.idempotency_key = edge_key(principal.client_id, ids[0] if ids else "", operation.id, key)
                return run.once(exchange, call.idempotency_key, inner)

            return keyed

        return wrap

    def document(self, operation: Operation) -> Documented:
        """The header, its refusals, and the mark of a replay."""
        if not operation.keyed:
            return Documented()
        retention_s = self._settings.retention_of(operation.id)
        return documented(retention_s, refuses_without_store=self._settings.on_store_failure == "closed")

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
        exchange.evidence["idempotency"] = found
        if found == "reused":
            raise IdempotencyKeyReused(detail="This key was used for another request; a new request needs a new key.")
        exchange.response_headers.append((b"retry-after", b"1"))
        raise IdempotencyInFlight(detail="Ask again with the same key to get its answer.")

    async def _first(self, exchange: Exchange, claim: Claim, inner: Handler) -> Answer:
        lease = Lease(claim, self._claims.lease_s)
        outcome: bytes | None = None
        cancelled = False
        try:
            answer: Answer = await inner(exchange)
            outcome = outcome_of(answer)
            return answer
        except Refusal as refusal:
            outcome = outcome_of(refusal)
            raise
        except asyncio.CancelledError:
            cancelled = True  # the process stops: no time to ask the store, the lease frees the key
            raise
        finally:
            lease.end()
            if not cancelled:
                exchange.evidence["idempotency"] = await self._settle(claim, outcome)

    async def _settle(self, claim: Claim, outcome: bytes | None) -> str:
        try:
            if outcome is None or len(outcome) > self._settings.largest_outcome_bytes:
                await claim.release()
                return "released"
            return "recorded" if await claim.record(outcome, retention_s=self._retention_s) else "lost"
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


def _place(key: str, principal: Principal) -> bytes:
    """Where the store keeps a key. A principal that sees other accounts than before finds nothing to replay."""
    accounts: Accounts = principal.accounts
    seen = "\0".join((key, accounts.reach, *sorted(accounts.ids)))
    return b"key1:" + hashlib.sha256(seen.encode()).hexdigest().encode()


def _probe(control: str, title: str, problem: type[Problem], key: str | None) -> Probe:
    return Probe(
        control=control,
        title=title,
        expect_status=problem.status,
        expect_type=problem.type,
        without_headers=("Idempotency-Key",),
        with_headers=() if key is None else (("Idempotency-Key", key),),
    )
