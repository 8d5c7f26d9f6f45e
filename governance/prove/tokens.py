"""The tokens that probes are sent with: one good one, and every wrong kind of it (RFC 9068, RFC 8725).

``ProbeTokens`` holds an issuer's key, so it can make all of them; each is wrong in exactly one way.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from hmac import digest
from typing import Any, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey
from msgspec import Struct

from governance.call import Clock, TokenKind
from governance.contract.operation import Operation
from governance.identity.issuers import ACCESS_TYPE
from governance.identity.key_file import ALGORITHM

LIFETIME_S = 300
LONG_S = 3_600
GARBAGE = "not.a-token"
STRANGER = "SOMEBODY-ELSE"
"""An account that nothing belongs to."""
ELSEWHERE = "https://issuer.invalid"
PROVE = "governance:prove"


class Unprovable(Exception):
    """A probe can't be sent from here; the message is the reason, fit for a report."""


class Tokens(Protocol):
    """Where probes get their tokens from."""

    def token(self, kind: TokenKind, operation: Operation, client: str = "", scopes: Iterable[str] = ()) -> str | None:
        """A token of this kind for one operation, holding ``scopes`` as well; None where there is none to send.

        Raises:
            Unprovable: such a token can't be had from here.
        """
        ...


class ProbeTokens(Struct, frozen=True, kw_only=True):
    """Makes tokens of ``issuer`` for a client that is made up for each operation, so that no limit is shared."""

    key: OKPKey
    """The issuer's signing key."""
    issuer: str
    clock: Clock
    accounts: tuple[str, ...] = ()
    """The accounts that the client acts for; none for all of them."""

    def token(self, kind: TokenKind, operation: Operation, client: str = "", scopes: Iterable[str] = ()) -> str | None:
        """A token of this kind for one operation; None where there is none to send."""
        if kind == "none":
            return None
        if kind == "garbage":
            return GARBAGE
        claims = self.claims(kind, operation, client, scopes)
        header: dict[str, Any] = {"alg": ALGORITHM, "typ": ACCESS_TYPE, "kid": self.key.kid}
        forged = forgery(kind, header, claims, self.key)
        if forged is not None:
            return forged
        if kind == "tampered":
            return tampered(signed(header, {**claims, "scope": ""}, self.key), claims)
        if kind == "wrong-type":
            header["typ"] = "JWT"
        elif kind == "critical":
            header |= {"crit": ["exp"], "exp": claims["exp"]}
        return signed(header, claims, self.key)

    def claims(
        self, kind: TokenKind, operation: Operation, client: str = "", scopes: Iterable[str] = ()
    ) -> dict[str, Any]:
        """What the token says, wrong in at most one way."""
        client = client or f"prover:{operation.id}"
        now = int(self.clock.now().timestamp()) - (LONG_S if kind == "expired" else 0)
        accounts = (STRANGER,) if kind == "other-account" else self.accounts
        tier = "elsewhere" if kind == "wrong-audience" else operation.tier
        own = () if kind == "no-scope" else (operation.scope,)
        held = frozenset((*own, *scopes))
        claims: dict[str, Any] = {
            "iss": ELSEWHERE if kind == "other-issuer" else self.issuer,
            "sub": client,
            "client_id": client,
            "aud": f"{self.issuer}/{tier}",
            "scope": " ".join(sorted(held - {PROVE} if kind == "no-probe" else held)),
            "accounts": accounts,
            "account_reach": "own" if accounts else "all",
            "iat": now,
            "exp": now + LIFETIME_S,
            "jti": f"{client}:{kind}",
        }
        if kind == "not-yet":
            claims |= {"nbf": now + LONG_S, "exp": now + LONG_S + LIFETIME_S}
        if kind == "no-expiry":
            del claims["exp"]
        return claims


def forgery(kind: TokenKind, header: Mapping[str, Any], claims: Mapping[str, Any], public: OKPKey | None) -> str | None:
    """The token of a kind that anybody can make who knows the header, the claims and the public key; else None."""
    if kind == "alg-none":
        return f"{unsigned({**header, 'alg': 'none'}, claims)}.AA"
    if kind == "hmac-of-public-key" and public is not None:
        secret = str(public.as_dict(private=False)["x"]).encode()
        text = unsigned({**header, "alg": "HS256"}, claims)
        return f"{text}.{encoded(digest(secret, text.encode(), 'sha256'))}"
    if kind in ("other-key", "key-in-header"):
        key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
        own = {"jwk": key.as_dict(private=False), "kid": key.kid} if kind == "key-in-header" else {}
        return signed({**header, "alg": ALGORITHM, **own}, claims, key)
    return None


def tampered(token: str, claims: Mapping[str, Any]) -> str:
    """The token with other claims under its old signature."""
    header, _, signature = token.split(".")
    return f"{header}.{encoded(msgspec.json.encode(claims))}.{signature}"


def signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: OKPKey) -> str:
    """A compact JWS of exactly these parts (RFC 7515 §7.1), also where a library would refuse to make it."""
    text = unsigned(header, claims)
    private = key.get_op_key("sign")
    if not isinstance(private, Ed25519PrivateKey):
        raise TypeError("the issuer's key is no private Ed25519 key")
    return f"{text}.{encoded(private.sign(text.encode()))}"


def unsigned(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """The first two segments."""
    return f"{encoded(msgspec.json.encode(header))}.{encoded(msgspec.json.encode(claims))}"


def encoded(raw: bytes) -> str:
    """Base64url without padding (RFC 7515 §2)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
