"""Verification of JWT access tokens and hop tokens.

Guarantees: the algorithm is on the issuer's list and asymmetric; the type is exact; the key is the
issuer's own and is never taken from the token (``jku``, ``x5u``, ``jwk``, ``x5c`` are ignored and
cause no request); issuer, audience and times are checked; anything ``crit``, nested or larger than
8 KiB is refused. A verified token costs a dictionary look-up until it expires, and no longer.
When the issuer's keys can't be had, ``KeysUnavailable`` is raised: nothing passes unverified.

Standards: RFC 7515 §4.1, §5.2; RFC 7519 §4.1; RFC 8725 §3; RFC 9068 §2, §4.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import Key
from msgspec import Struct

from governance.call import Clock
from governance.identity.challenges import Challenges
from governance.identity.issuers import Claims, Identity, TrustedIssuer, identity_of
from governance.identity.key_sources import fits
from governance.identity.refusals import BadToken
from governance.identity.token_cache import TokenCache

COMPACT = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
LIMIT_BYTES = 8_192
DISTANT_S = 400 * 86_400.0
"""No cache entry outlives this, so that absurd times stay inside the calendar."""


class JoseHeader(Struct, frozen=True):
    """What is read of the JOSE header; every other parameter is ignored."""

    alg: str
    typ: str = ""
    kid: str | None = None
    cty: str = ""
    crit: Any = None
    b64: Any = None


class Signatures(jws.JWSRegistry):
    """joserfc's algorithms without its warning on ``EdDSA``: issuers that predate RFC 9864 still say it."""

    max_header_length = LIMIT_BYTES

    def get_alg(self, name: str) -> JWSAlgModel:
        """The algorithm model, which must be one of ``allowed``."""
        if name not in (self.allowed or ()):
            raise JoseError(f"algorithm {name} is not allowed")
        return self.algorithms[name]


class TokenVerifier:
    """Turns a token and the tier it was sent to into an ``Identity``."""

    def __init__(
        self,
        issuers: Iterable[TrustedIssuer],
        public_url: str,
        clock: Clock,
        *,
        leeway_s: float = 10.0,
        cache_size: int = 10_000,
    ) -> None:
        self._issuers: Mapping[str, TrustedIssuer] = {trusted.issuer: trusted for trusted in issuers}
        self.challenges = Challenges(public_url)
        self._public_url = public_url.rstrip("/")
        self._clock = clock
        self._leeway_s = leeway_s
        self._cache_size = cache_size
        self._caches: dict[str, TokenCache] = {}

    def audience_of(self, tier: str) -> str:
        """The audience that stands for ``tier``: ``{public_url}/{tier}``."""
        return f"{self._public_url}/{tier}"

    def cache_of(self, tier: str) -> TokenCache:
        """The tokens that verified for ``tier``; bind its ``get`` once for the call path."""
        if tier not in self._caches:
            self._caches[tier] = TokenCache(self._clock, self._cache_size)
        return self._caches[tier]

    def known(self, token: bytes, tier: str) -> Identity | None:
        """The identity of a token that verified before and has not expired; no waiting, no cryptography."""
        return self.cache_of(tier).get(token)

    def forget(self) -> None:
        """Verify every token anew when it comes next: some were revoked."""
        for cache in self._caches.values():
            cache.clear()

    async def verify(self, token: bytes, tier: str) -> Identity:
        """The identity that the token proves at ``tier``.

        Raises:
            BadToken: it proves nothing here.
            KeysUnavailable: its issuer's keys can't be had now.
        """
        known = self.known(token, tier)
        if known is not None:
            return known
        header = _header(token)
        payload = _payload(token)
        trusted = self._trusted(header, payload)
        key = await trusted.keys.find(header.kid, header.alg)
        if key is None:
            raise BadToken("key", "The token is signed with a key that its issuer does not publish.")
        _check_signature(token, key, header.alg)
        claims = _claims(payload)
        self._check_audience(claims, trusted, tier)
        self._check_times(claims)
        if trusted.revoked(payload):
            raise BadToken("revoked", "The token was revoked.")
        identity = identity_of(payload, claims, trusted)
        self.cache_of(tier).put(token, identity, self._until(claims))
        return identity

    def _trusted(self, header: JoseHeader, payload: dict[str, Any]) -> TrustedIssuer:
        issuer = payload.get("iss")
        trusted = self._issuers.get(issuer) if isinstance(issuer, str) else None
        if trusted is None:
            raise BadToken("issuer", "The token's issuer is not trusted here.")
        if header.typ.lower().removeprefix("application/") != trusted.token_type:
            raise BadToken("type", "The token is not of the type that this API accepts.")
        if header.alg not in trusted.algorithms:
            raise BadToken("algorithm", "The token's algorithm is not allowed.")
        return trusted

    def _check_audience(self, claims: Claims, trusted: TrustedIssuer, tier: str) -> None:
        own = trusted.audiences.get(tier, (self.audience_of(tier),))
        named = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
        if not any(audience in own for audience in named):
            raise BadToken("audience", "The token is meant for another audience.")

    def _check_times(self, claims: Claims) -> None:
        now = self._clock.now().timestamp()
        if claims.exp + self._leeway_s <= now:
            raise BadToken("expired", "The token has expired.")
        if claims.nbf is not None and claims.nbf - self._leeway_s > now:
            raise BadToken("not-yet", "The token is not valid yet.")
        if claims.iat - self._leeway_s > now:
            raise BadToken("not-yet", "The token was issued in the future.")

    def _until(self, claims: Claims) -> datetime:
        now = self._clock.now().timestamp()
        return datetime.fromtimestamp(min(claims.exp + self._leeway_s, now + DISTANT_S), UTC)


def _header(token: bytes) -> JoseHeader:
    if len(token) > LIMIT_BYTES:
        raise BadToken("oversized", "The token is larger than 8 KiB.")
    if not COMPACT.fullmatch(token):
        raise BadToken("malformed", "The token is not a signed JWT in compact form.")
    header = _decoded(token.split(b".")[0], JoseHeader)
    if header.crit is not None or header.b64 is not None:
        raise BadToken("critical", "The token demands extensions that are not understood.")
    if header.cty:
        raise BadToken("nested", "A nested token is not accepted.")
    return header


def _payload(token: bytes) -> dict[str, Any]:
    return _decoded(token.split(b".")[1], dict[str, Any])


def _decoded(segment: bytes, kind: type[Any]) -> Any:
    try:
        raw = urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))
        return msgspec.json.decode(raw, type=kind)
    except (ValueError, RecursionError) as error:  # MsgspecError and UnicodeDecodeError are ValueErrors
        raise BadToken("malformed", "The token can't be decoded.") from error


def _check_signature(token: bytes, key: Key, algorithm: str) -> None:
    signature = token.rsplit(b".", 1)[1]
    try:
        canonical = urlsafe_b64encode(urlsafe_b64decode(signature + b"=" * (-len(signature) % 4))).rstrip(b"=")
        registry = Signatures(algorithms=(algorithm,), strict_check_header=False)
        if fits(key, algorithm) and canonical == signature:
            jws.deserialize_compact(token, key, registry=registry)
            return
    except (JoseError, ValueError, RecursionError) as error:
        raise BadToken("signature", "The token's signature does not verify.") from error
    raise BadToken("signature", "The token's signature does not verify.")


def _claims(payload: dict[str, Any]) -> Claims:
    try:
        return msgspec.convert(payload, Claims, strict=True)
    except msgspec.ValidationError as error:
        raise BadToken("claims", "A claim of the token is missing or has the wrong type.") from error
