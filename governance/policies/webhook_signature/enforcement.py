"""Webhook signature: who delivers to an inbound operation, judged by the signature over the raw body.

Guarantees: no delivery passes whose signature is not that of a configured secret over the very bytes
that came, or whose signed time is off by more than ``tolerance_s``; two secrets are valid at once, so
that one can be rotated. Signatures are compared in constant time. A peer that keeps sending bad ones is
refused before its body is read, and 401 doesn't tell a wrong signature from a secret that is not set. What
verified acts as ``webhook:<system>``, holds the operation's scope and nothing else, and meets the rate
limit, the audit and everything behind them as any client does. A bearer token opens nothing here.

The same delivery again within the tolerance passes again: the inbox keeps each event id once.

Standards: Standard Webhooks 1.0.0 ("Verifying webhook authenticity"), RFC 9110 §11.6.1 and §15.5.2.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from governance.call import (
    Accounts,
    Binding,
    Call,
    Clock,
    Documented,
    Exchange,
    Finding,
    Handler,
    Policy,
    Principal,
    Probe,
    Stage,
    Wrap,
)
from governance.contract.delivery import Delivery
from governance.contract.operation import Operation
from governance.contract.refusals import RateLimited, SystemUnavailable, Unauthenticated
from governance.identity import PeerFailures
from governance.policies.webhook_signature.document import challenge, documented, probes
from governance.policies.webhook_signature.settings import Settings
from governance.webhooks import SCHEMES, Claim, Inbox, Scheme, Unsigned, VendorSchemes, matches

DAY_S = 86_400.0
logger = logging.getLogger("tiergate.webhooks")
NO_MATCH = "The signature is of no secret that is valid here."


class Enforcement(Policy):
    """Identifies the sender of every served delivery."""

    name = "webhook_signature"
    stage = Stage.IDENTIFY
    position = 10
    proves_deliveries = True

    def __init__(
        self, settings: Settings, clock: Clock, vendors: VendorSchemes | None = None, inbox: Inbox | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._vendors = vendors or VendorSchemes()
        self._inbox = inbox
        self._tidying: asyncio.Task[None] | None = None
        self._failures = PeerFailures(clock, burst=settings.failure_burst, per_second=settings.failures_per_s)

    async def start(self) -> None:
        """Remove what is too old from the inbox, now and once a day."""
        if self._inbox is not None:
            self._tidying = asyncio.create_task(self._tidy(self._inbox), name="inbox retention")

    async def stop(self) -> None:
        """Leave the inbox alone."""
        if self._tidying is not None:
            self._tidying.cancel()
            with suppress(asyncio.CancelledError):
                await self._tidying

    def enforce(self, operation: Operation, binding: Binding) -> Wrap | None:
        """Every served operation that takes deliveries."""
        if binding != "served" or not operation.inbound:
            return None
        judge = self._judge_of(operation)

        def wrap(inner: Handler) -> Handler:
            async def identify(exchange: Exchange) -> Any:
                self._refuse_flood(exchange)
                try:
                    delivery = await judge(exchange)
                except Unsigned as error:
                    self._refuse(exchange, str(error))
                self._enter(exchange, delivery)
                return await inner(exchange)

            return identify

        return wrap

    def document(self, operation: Operation) -> Documented:
        """The headers of the scheme, 401 and 429."""
        return documented(self._scheme(_system(operation))) if operation.inbound else Documented()

    def prove(self, operation: Operation) -> Iterable[Probe]:
        """Deliveries of strangers."""
        if operation.inbound:
            yield from probes(self._scheme(_system(operation)), int(self._clock.now().timestamp()))

    def audit(self, operation: Operation) -> Iterable[Finding]:
        """WH-010 a secret that the scheme can't use, WH-011 a system that takes no deliveries for want of one."""
        if not operation.inbound:
            return
        try:
            keys = self._keys(_system(operation))
        except ValueError as error:
            yield Finding(id="WH-010", operation_id=operation.id, detail=str(error))
            return
        if not keys:
            detail = "It has no secret under [policies.webhook_signature.sources], so it refuses every delivery."
            yield Finding(id="WH-011", operation_id=operation.id, detail=detail, severity="warning")

    async def _tidy(self, inbox: Inbox) -> None:
        while True:
            try:
                removed = await inbox.forget(self._clock.now() - timedelta(days=self._settings.retention_days))
                if removed:
                    logger.info("retention removed %d deliveries from the inbox", removed)
            except SystemUnavailable as error:
                logger.warning("retention of the inbox waits: %s", error.detail)
            await asyncio.sleep(DAY_S)

    def _judge_of(self, operation: Operation) -> Callable[[Exchange], Awaitable[Delivery]]:
        system = _system(operation)
        scheme = self._scheme(system)
        keys = self._keys(system)

        async def judge(exchange: Exchange) -> Delivery:
            request = exchange.served
            claim = scheme.claim(request.headers)
            self._in_time(claim)
            if request.take_in is None:
                raise RuntimeError(f"{operation.id}: nothing offers the body of a delivery")
            body = request.body = await request.take_in()
            if not matches(keys, scheme.signed(claim, body), claim.signatures):
                raise Unsigned(NO_MATCH)
            event_id = scheme.event_id(claim, body)
            return Delivery(
                system=system, event_id=event_id, sent_at=datetime.fromtimestamp(claim.at_s, UTC), body=body
            )

        return judge

    def _in_time(self, claim: Claim) -> None:
        off_s = abs(self._clock.now().timestamp() - claim.at_s)
        if off_s > self._settings.tolerance_s:
            raise Unsigned(f"The signed time is off by more than {self._settings.tolerance_s} s: sign it anew.")

    def _enter(self, exchange: Exchange, delivery: Delivery) -> None:
        operation = exchange.operation
        sender = f"webhook:{delivery.system}"
        principal = Principal(
            subject=sender, client_id=sender, scopes=frozenset((operation.scope,)), accounts=Accounts(reach="all")
        )
        exchange.principal = principal
        exchange.call = Call(
            principal=principal, operation_id=operation.id, request_id=exchange.evidence.get("request_id", "")
        )
        exchange.arguments = (delivery,)

    def _refuse_flood(self, exchange: Exchange) -> None:
        wait_s = self._failures.wait_s(exchange.served.peer)
        if wait_s:
            exchange.response_headers.append((b"retry-after", b"%d" % wait_s))
            raise RateLimited(detail="Too many deliveries that do not verify came from this address.")

    def _refuse(self, exchange: Exchange, detail: str) -> NoReturn:
        self._failures.record(exchange.served.peer)
        exchange.evidence["signature"] = detail
        scheme = self._scheme(_system(exchange.operation))
        exchange.response_headers.append((b"www-authenticate", challenge(scheme)))
        raise Unauthenticated(detail=detail)

    def _scheme(self, system: str) -> Scheme:
        source = self._settings.sources.get(system)
        return SCHEMES[source.scheme] if source is not None and source.scheme else self._vendors.of(system)

    def _keys(self, system: str) -> tuple[bytes, ...]:
        """The signing keys that are valid now.

        Raises:
            ValueError: a secret is none of the scheme.
        """
        source = self._settings.sources.get(system)
        scheme = self._scheme(system)
        return tuple(scheme.key(secret) for secret in source.secrets) if source is not None else ()


def _system(operation: Operation) -> str:
    return operation.api_id.partition(".")[0]
