"""Probing with tokens of somebody else's issuer: what anybody can forge is proved, what needs its key is not.

A token is asked for the scopes that are wanted; an issuer that gives another one, or a fixed token,
leaves the probes unproved that it does not fit. Standards: RFC 6749 §4.4, RFC 8707 (resource).
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from joserfc.jwk import OKPKey

from governance.call import TokenKind
from governance.contract.operation import TIERS, Operation
from governance.prove.tokens import GARBAGE, PROVE, Unprovable, forgery, tampered

Fetch = Callable[[frozenset[str], str], str]
"""From scopes and tier to a token; raises ``Unprovable`` where none is given."""
PLAIN: Mapping[TokenKind, str | None] = {"none": None, "garbage": GARBAGE}
FORGED = ("alg-none", "hmac-of-public-key", "other-key", "key-in-header")


class GivenTokens:
    """Tokens of one client of an issuer whose key is elsewhere."""

    def __init__(self, fetch: Fetch, public: OKPKey | None = None) -> None:
        """``public`` is the issuer's public key, where it is known and of the kind that is misused."""
        self._fetch = fetch
        self._public = public
        self._known: dict[tuple[frozenset[str], str], str | Unprovable] = {}

    def token(self, kind: TokenKind, operation: Operation, client: str = "", scopes: Iterable[str] = ()) -> str | None:
        """A token of this kind for one operation.

        Raises:
            Unprovable: only the issuer could make it.
        """
        if client:
            raise Unprovable("it needs another client of the issuer")
        if kind in PLAIN:
            return PLAIN[kind]
        if kind == "no-scope":
            return self._without(operation, frozenset(scopes))
        if kind == "wrong-audience":
            return self._for_another_tier(operation)
        return self._made(kind, operation, frozenset((operation.scope, *scopes)))

    def _made(self, kind: TokenKind, operation: Operation, wanted: frozenset[str]) -> str:
        token = self._holding(wanted - {PROVE} if kind == "no-probe" else wanted, operation)
        if kind == "no-probe" and PROVE in scopes_of(token):
            raise Unprovable(f"the issuer gives no token without {PROVE}")
        if kind in ("valid", "no-probe"):
            return token
        if kind == "tampered":
            return tampered(token, {**claims_of(token), "scope": f"{operation.scope} tampered"})
        if kind in FORGED:
            forged = forgery(kind, header_of(token), claims_of(token), self._public)
            if forged is not None:
                return forged
        raise Unprovable("only the issuer's key could make such a token")

    def _holding(self, wanted: frozenset[str], operation: Operation) -> str:
        token = self._get(wanted, operation.tier)
        missing = sorted(wanted - scopes_of(token))
        if missing:
            raise Unprovable(f"the client has no scope {', '.join(missing)}")
        return token

    def _without(self, operation: Operation, scopes: frozenset[str]) -> str:
        token = self._get(scopes, operation.tier)
        held = scopes_of(token)
        if operation.scope in held or not scopes <= held:
            raise Unprovable("the issuer gives no token with just these scopes")
        return token

    def _for_another_tier(self, operation: Operation) -> str:
        other = next(tier for tier in TIERS if tier != operation.tier)
        token = self._get(frozenset(), other)
        named = claims_of(token).get("aud", ())
        if any(str(one).endswith(f"/{operation.tier}") for one in ([named] if isinstance(named, str) else named)):
            raise Unprovable("the issuer gives no token for another audience alone")
        return token

    def _get(self, scopes: frozenset[str], tier: str) -> str:
        found = self._known.get((scopes, tier))
        if found is None:
            try:
                found = self._fetch(scopes, tier)
            except Unprovable as reason:
                found = reason
            self._known[scopes, tier] = found
        if isinstance(found, Unprovable):
            raise found
        return found


def header_of(token: str) -> Mapping[str, Any]:
    """The header of a JWT, unverified.

    Raises:
        Unprovable: it is none, so nothing can be made of it.
    """
    return _segment(token, 0)


def claims_of(token: str) -> Mapping[str, Any]:
    """The claims of a JWT, unverified.

    Raises:
        Unprovable: it is none, so nothing can be made of it.
    """
    return _segment(token, 1)


def scopes_of(token: str) -> frozenset[str]:
    """The scopes that a JWT holds, unverified.

    Raises:
        Unprovable: it is none.
    """
    return frozenset(str(claims_of(token).get("scope", "")).split())


def _segment(token: str, number: int) -> Mapping[str, Any]:
    try:
        segment = token.split(".")[number]
        return msgspec.json.decode(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)), type=dict[str, Any])
    except (IndexError, ValueError):  # MsgspecError is a ValueError
        raise Unprovable("the token is no JWT, so nothing can be made of it") from None
