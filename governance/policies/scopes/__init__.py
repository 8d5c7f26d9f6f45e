"""Scopes: an operation is open to exactly those whose token holds its one scope.

Guarantees: exact match, no hierarchy and no wildcards; a token without scopes has none. An inner
call is held to the scope that its calling API was granted for this one operation.

Standards: RFC 6749 §3.3, RFC 6750 §3.1 (403 ``insufficient_scope`` with the scope that is needed).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from governance.call import Binding, Documented, Exchange, Handler, Policy, Probe, Stage, Wrap
from governance.contract.operation import Operation
from governance.contract.refusals import InsufficientScope
from governance.identity import TokenVerifier
from governance.identity.challenges import HEADER

CHALLENGE: Mapping[str, Any] = {
    "description": "RFC 6750 challenge that names the scope.",
    "schema": {"type": "string"},
}


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[policies.scopes]``: there is nothing to set; scopes come from the contracts."""


class Enforcement(Policy):
    """Demands the operation's scope of whoever acts, in every binding."""

    name = "scopes"
    stage = Stage.AUTHORIZE
    position = 10

    def __init__(self, settings: Settings, verifier: TokenVerifier) -> None:
        self._challenges = verifier.challenges

    def enforce(self, operation: Operation, binding: Binding) -> Wrap | None:
        """Every operation."""
        scope = operation.scope
        challenge = self._challenges.insufficient_scope(operation.tier, scope)
        detail = f"The operation needs the scope {scope}."

        def wrap(inner: Handler) -> Handler:
            def authorize(exchange: Exchange) -> Awaitable[Any]:
                if scope in exchange.under.principal.scopes:
                    return inner(exchange)
                exchange.response_headers.append((HEADER, challenge))
                raise InsufficientScope(scope=scope, detail=detail)

            return authorize

        return wrap

    def document(self, operation: Operation) -> Documented:
        """403 with the scope that is needed; a delivery's signature brings its scope along."""
        if operation.inbound:
            return Documented()
        return Documented(
            problems=(InsufficientScope,),
            problem_headers={InsufficientScope.status: {"WWW-Authenticate": CHALLENGE}},
        )

    def prove(self, operation: Operation) -> Iterable[Probe]:
        """A good token without the scope, and one with all that resembles it."""
        scope = operation.scope
        yield _refused("SC-001", "A token without the operation's scope is refused", scope, ())
        yield _refused("SC-002", "Scopes that resemble the operation's don't open it", scope, _neighbours(scope))


def _neighbours(scope: str) -> tuple[str, ...]:
    resource, _, verb = scope.partition(":")
    api = resource.partition(".")[0]
    other = "write" if verb == "read" else "read"
    return (f"{resource}:{other}", f"{resource}:*", f"{api}.*:{verb}", f"{api}:{verb}", resource, "*", scope.upper())


def _refused(control: str, title: str, needed: str, scopes: tuple[str, ...]) -> Probe:
    return Probe(
        control=control,
        title=title,
        expect_status=InsufficientScope.status,
        expect_type=InsufficientScope.type,
        expect_headers=(("www-authenticate", f'Bearer .*error="insufficient_scope".* scope="{re.escape(needed)}".*'),),
        token="no-scope",  # noqa: S106 - the kind of token to probe with, no secret
        scopes=scopes,
    )


__all__ = ["Enforcement", "Settings"]
