"""Audiences of consumers: a client's tokens are good only at the tiers that its declaration names.

Guarantees: whichever issuer a token is from, and whatever audiences and scopes stand in it, a
consumer that states ``audiences`` gets through at those tiers and no other; a change takes effect
with the next call after a reload. A consumer that states none, and a client that is not declared,
are held to their tokens alone. It looks into memory only, so nothing can fail.

Standards: RFC 9068 §4 and RFC 8707 §2 (a token for one resource is refused at another), RFC 6750
§3.1 (401 ``invalid_token``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Any

from msgspec import Struct

from governance.call import Binding, Exchange, Handler, Policy, Probe, Stage, Wrap
from governance.consumers import Consumers
from governance.contract.operation import Operation
from governance.contract.refusals import Unauthenticated
from governance.identity import TokenVerifier
from governance.identity.challenges import HEADER


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[policies.audiences]``: there is nothing to set; the audiences stand with each consumer."""


class Enforcement(Policy):
    """Refuses clients at tiers that are none of their audiences, as if their tokens named another."""

    name = "audiences"
    stage = Stage.IDENTIFY
    position = 60

    def __init__(self, settings: Settings, consumers: Consumers, verifier: TokenVerifier) -> None:
        self._consumers = consumers
        self._challenges = verifier.challenges

    def enforce(self, operation: Operation, binding: Binding) -> Wrap | None:
        """Every served operation; a call from another tier carries the gateway's own token, not the client's."""
        if binding != "served":
            return None
        tier = operation.tier
        find = self._consumers.get
        detail = "The client's tokens are not meant for this tier."
        challenge = self._challenges.invalid_token(tier, detail)

        def wrap(inner: Handler) -> Handler:
            def admit(exchange: Exchange) -> Awaitable[Any]:
                principal = exchange.under.principal
                consumer = find(principal.client_id)
                if consumer is None or consumer.may_use(tier) or principal.acting_api is not None:
                    return inner(exchange)
                exchange.evidence["token"] = "audience"  # noqa: S105 - why it was refused
                exchange.response_headers.append((HEADER, challenge))
                raise Unauthenticated(detail=detail)

            return admit

        return wrap

    def prove(self, operation: Operation) -> Iterable[Probe]:
        """A good token of a client that this tier is closed to."""
        for consumer in self._consumers:
            if not consumer.may_use(operation.tier):
                yield Probe(
                    control="CN-001",
                    title="A client is refused at a tier that is none of its audiences",
                    expect_status=Unauthenticated.status,
                    expect_type=Unauthenticated.type,
                    expect_headers=(("www-authenticate", 'Bearer .*error="invalid_token".*'),),
                    client=consumer.client_id,
                )
                return


__all__ = ["Enforcement", "Settings"]
