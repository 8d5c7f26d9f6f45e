"""Admission probes: a write that goes through its whole chain and ends where the implementation would begin.

``Tiergate-Probe: reach`` on a write of a principal that holds ``governance:prove`` answers 204
``Tiergate-Probe: reached``: every policy up to replay and the ownership of the arguments has let it
pass, nothing was done, and nothing is stored under its key. ``Tiergate-Probe: refuse`` ends at the
same place with a business refusal, which is stored as any other, so that replays can be proved
without an effect.

The header opens nothing: it is read last, after every policy has judged the call as it judges all
calls, and can only keep an implementation from running. For everybody else a write with the header
is refused with 403, so nobody's order is swallowed by a header that a proxy added. It is read at the
served edge only: inner calls, local or remote, never carry it. Reads ignore it and run in full.

Standard: RFC 6750 §3.1 (403 ``insufficient_scope``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Any

from msgspec import Struct

from governance.call import Answer, Binding, Ended, Exchange, Handler, Policy, Probe, Stage, Wrap
from governance.contract.operation import Operation
from governance.contract.problems import NotFound, Violation
from governance.contract.refusals import InsufficientScope, InvalidParameters
from governance.identity import TokenVerifier
from governance.identity.challenges import HEADER

PROBE = b"tiergate-probe"
SCOPE = "governance:prove"
REACHED = Answer(204, ((PROBE, b"reached"),))
DETAIL = f"Requests with Tiergate-Probe need the scope {SCOPE}."


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[policies.probes]``: there is nothing to set; who may send probes is who holds the scope."""


class Enforcement(Policy):
    """Stands directly in front of the implementation of every served write."""

    name = "probes"
    stage = Stage.EXECUTE
    position = 95

    def __init__(self, settings: Settings, verifier: TokenVerifier) -> None:
        self._challenges = verifier.challenges

    def enforce(self, operation: Operation, binding: Binding) -> Wrap | None:
        """Every served write."""
        if binding != "served" or operation.safe:
            return None
        challenge = self._challenges.insufficient_scope(operation.tier, SCOPE)

        def wrap(inner: Handler) -> Handler:
            def judged(exchange: Exchange) -> Awaitable[Any]:
                wish = exchange.served.headers.get(PROBE)
                if wish is None:
                    return inner(exchange)
                if SCOPE not in exchange.under.principal.scopes:
                    exchange.response_headers.append((HEADER, challenge))
                    raise InsufficientScope(scope=SCOPE, detail=DETAIL)
                exchange.evidence["probe"] = "reached"
                raise _end(wish)

            return judged

        return wrap

    def prove(self, operation: Operation) -> Iterable[Probe]:
        """What is valid passes everything, leaves nothing behind, and the header is nobody else's."""
        if operation.safe:
            yield Probe(control="AD-001", title="A valid read is answered", expect_status=0)
            return
        reached = (("tiergate-probe", "reached"),)
        yield Probe(
            control="AD-002",
            title="A valid write passes every policy and reaches its implementation",
            expect_status=204,
            expect_headers=reached,
        )
        yield Probe(
            control="AD-003",
            title="A probe that reached leaves no outcome under its key",
            expect_status=204,
            expect_headers=(*reached, ("idempotency-replayed", "")),
            repeat=2,
        )
        yield Probe(
            control="AD-004",
            title=f"A probe without {SCOPE} is refused",
            expect_status=InsufficientScope.status,
            expect_type=InsufficientScope.type,
            expect_headers=(("www-authenticate", f'Bearer .*scope="{SCOPE}".*'),),
            token="no-probe",  # noqa: S106 - the kind of token to probe with, no secret
        )
        yield Probe(
            control="AD-005",
            title="A valid write runs",
            expect_status=0,
            effect=True,
        )


def _end(wish: bytes) -> Exception:
    if wish == b"reach":
        return Ended(REACHED)
    if wish == b"refuse":
        return NotFound()
    return InvalidParameters((Violation(header="Tiergate-Probe", detail="is reach or refuse"),))
