"""Whom the gateway trusts, and what it reads from their tokens.

Standards: RFC 9068 §2 (claims of a JWT access token), RFC 8725 §3.8 to §3.12 (issuer, subject,
audience and type are all checked, and one kind of token is never taken for another).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from governance.call import ACCOUNT_ID, Accounts, Principal
from governance.identity.introspection import Introspection
from governance.identity.key_sources import KeySource
from governance.identity.refusals import BadToken

ACCESS_TYPE = "at+jwt"
HOP_TYPE = "hop+jwt"
SCOPE = "scope"
UNTYPED = "jwt"
"""What providers that predate RFC 9068 say of every token they sign, ID tokens included."""
SIGNATURES = ("Ed25519", "EdDSA", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
"""Every algorithm that may be allowed: asymmetric ones. ``none`` and HMAC are not among them."""

ACCOUNT = re.compile(ACCOUNT_ID)
NOT_FOR_ACCESS = frozenset({"at_hash", "c_hash", "s_hash", "events"})
"""Claims of ID tokens (OpenID Connect Core §3.3.2.11) and of security events, never of access tokens."""


def never(_: Mapping[str, Any]) -> bool:
    """Of an issuer whose revocations are not known here."""
    return False


class TrustedIssuer(Struct, frozen=True, kw_only=True, eq=False):
    """One issuer of access tokens, by its exact ``iss``."""

    issuer: str
    keys: KeySource
    algorithms: tuple[str, ...] = ("Ed25519", "EdDSA", "ES256", "RS256")
    token_type: str = ACCESS_TYPE
    audiences: Mapping[str, tuple[str, ...]] = {}
    """Tier to the audiences that stand for it. Without an entry it is ``{public_url}/{tier}``; an empty one closes it."""
    account_claim: str = "accounts"
    """The claim with the account ids: one string or a list."""
    reach_claim: str = "account_reach"
    client_claim: str = "client_id"
    scope_claim: str = SCOPE
    """The claim with the scopes: one string with spaces; one of another name may be a list."""
    leeway_s: float | None = None
    """How far its clock may differ from ours; None for the verifier's own measure."""
    introspection: Introspection | None = None
    """Where it says whether a token counts now; None: signature and expiry decide."""
    revoked: Callable[[Mapping[str, Any]], bool] = never
    """Whether the token of these verified claims was revoked; ``TokenVerifier.forget`` has it asked anew."""

    def __post_init__(self) -> None:
        wrong = [algorithm for algorithm in self.algorithms if algorithm not in SIGNATURES]
        if wrong or not self.algorithms:
            named = ", ".join(wrong) or "an empty list"
            choice = ", ".join(SIGNATURES)
            raise ValueError(f"issuer {self.issuer}: algorithms can't hold {named}; choose among {choice}.")


class Claims(Struct, frozen=True, kw_only=True):
    """The registered claims, strictly typed; others are read by name."""

    iss: str
    sub: str
    aud: str | tuple[str, ...]
    exp: int | float
    iat: int | float
    nbf: int | float | None = None


class Actor(Struct, frozen=True):
    """RFC 8693 §4.1: the calling API of a hop token."""

    sub: str


class Identity(Struct, frozen=True, kw_only=True):
    """What a token proves: who acts and, behind an inner call, the user."""

    principal: Principal
    on_behalf_of: Principal


def identity_of(payload: dict[str, Any], claims: Claims, trusted: TrustedIssuer) -> Identity:
    """The identity in verified claims.

    Raises:
        BadToken: a claim is missing or of the wrong kind.
    """
    client_id = payload.get(trusted.client_claim)
    if not claims.sub or not isinstance(client_id, str) or not client_id:
        raise BadToken("claims", "The token must name its subject and its client.")
    user = Principal(
        subject=claims.sub,
        client_id=client_id,
        scopes=_scopes(payload, trusted),
        accounts=_accounts(payload, trusted),
        expires_at=float(claims.exp),
    )
    if trusted.token_type != HOP_TYPE:
        return Identity(principal=user, on_behalf_of=user)
    actor = _convert(payload.get("act"), Actor)
    behind = msgspec.structs.replace(user, scopes=frozenset(_convert(payload.get("user_scope", ""), str).split()))
    return Identity(principal=msgspec.structs.replace(user, acting_api=actor.sub), on_behalf_of=behind)


def check_purpose(payload: Mapping[str, Any], trusted: TrustedIssuer) -> None:
    """Where the header does not tell access tokens from others, the claims must (RFC 8725 §3.12).

    Raises:
        BadToken: it is an ID token, a logout token or a refresh token.
    """
    if trusted.token_type != UNTYPED:
        return
    if payload.get("typ", "Bearer") != "Bearer" or not NOT_FOR_ACCESS.isdisjoint(payload):
        raise BadToken("type", "The token is not an access token.")


def _scopes(payload: dict[str, Any], trusted: TrustedIssuer) -> frozenset[str]:
    named = payload.get(trusted.scope_claim, "")
    if trusted.scope_claim == SCOPE:  # RFC 8693 §4.2: one string
        named = _convert(named, str)
    return frozenset(named.split() if isinstance(named, str) else _convert(named, tuple[str, ...]))


def _accounts(payload: dict[str, Any], trusted: TrustedIssuer) -> Accounts:
    named = payload.get(trusted.account_claim, ())
    ids = (named,) if isinstance(named, str) else _convert(named, tuple[str, ...])
    if not all(map(ACCOUNT.fullmatch, ids)):
        raise BadToken("claims", "The token names an account that can be none.")
    reach = _convert(payload.get(trusted.reach_claim, "own"), Literal["own", "subtree", "all"])
    return Accounts(ids=ids, reach=reach)


def _convert(value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        raise BadToken("claims", "A claim of the token has the wrong type.") from error
