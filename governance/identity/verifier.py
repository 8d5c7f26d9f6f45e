"""Verification of JWT access tokens and hop tokens.

Guarantees: the algorithm is on the issuer's list and asymmetric; the type is exact; the key is the
issuer's own and is never taken from the token (``jku``, ``x5u``, ``jwk``, ``x5c`` are ignored and
cause no request); issuer, audience and times are checked; anything ``crit``, nested or larger than
8 KiB is refused. A verified token costs a dictionary look-up until it expires, and no longer.
When the issuer's keys can't be had, ``KeysUnavailable`` is raised: nothing passes unverified.
Where an issuer is asked about each token (RFC 7662), none of its tokens is remembered.

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
from governance.identity.introspection import Introspection
from governance.identity.issuers import Claims, Identity, TrustedIssuer, check_purpose, identity_of
from governance.identity.key_sources import fits
from governance.identity.refusals import BadToken
from governance.identity.token_cache import TokenCache

COMPACT = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
LIMIT_BYTES = 8_192
DISTANT_S = 400 * 86_400.0
"""No cache entry outlives this, so that absurd times stay inside the calendar."""


UNDATED_S = 60.0
"""How long an introspected token counts for this call where its issuer does not say; nothing is remembered."""


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
        self._opaque = next((one for one in self._issuers.values() if one.introspection is not None), None)
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
        if self._opaque is not None and len(token) <= LIMIT_BYTES and not COMPACT.fullmatch(token):
            return await self._introspected(token, tier, self._opaque)
        header = _header(token)
        payload = _payload(token)
        trusted = self._trusted(header, payload)
        key = await trusted.keys.find(header.kid, header.alg)
        if key is None:
            raise BadToken("key", "The token is signed with a key that its issuer does not publish.")
        _check_signature(token, key, header.alg)
        claims = _claims(payload)
        check_purpose(payload, trusted)
        self._check_audience(claims, trusted, tier)
        self._check_times(claims, trusted)
        if trusted.revoked(payload):
            raise BadToken("revoked", "The token was revoked.")
        identity = identity_of(payload, claims, trusted)
        if trusted.introspection is not None and trusted.introspection.use == "always":
            await _active(token, trusted.introspection)
        else:
            self.cache_of(tier).put(token, identity, self._until(claims, trusted))
        return identity

    async def _introspected(self, token: bytes, tier: str, trusted: TrustedIssuer) -> Identity:
        answer = await _active(token, trusted.introspection)
        now = self._clock.now().timestamp()
        told = {"iss": trusted.issuer, "iat": now, "exp": now + UNDATED_S, **answer}
        told.setdefault(trusted.client_claim, told.get("client_id"))
        told.setdefault("sub", told[trusted.client_claim])  # RFC 7662 §2.2: a client on its own may have none
        if told["iss"] != trusted.issuer:
            raise BadToken("issuer", "The token's issuer is not trusted here.")
        if str(told.get("token_type", "Bearer")).lower() not in ("bearer", "access_token"):
            raise BadToken("type", "The token is not a bearer token.")
        claims = _claims(told)
        self._check_audience(claims, trusted, tier)
        self._check_times(claims, trusted)
        return identity_of(told, claims, trusted)

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

    def _leeway_of(self, trusted: TrustedIssuer) -> float:
        return self._leeway_s if trusted.leeway_s is None else trusted.leeway_s

    def _check_times(self, claims: Claims, trusted: TrustedIssuer) -> None:
        now = self._clock.now().timestamp()
        leeway_s = self._leeway_of(trusted)
        if claims.exp + leeway_s <= now:
            raise BadToken("expired", "The token has expired.")
        if claims.nbf is not None and claims.nbf - leeway_s > now:
            raise BadToken("not-yet", "The token is not valid yet.")
        if claims.iat - leeway_s > now:
            raise BadToken("not-yet", "The token was issued in the future.")

    def _until(self, claims: Claims, trusted: TrustedIssuer) -> datetime:
        now = self._clock.now().timestamp()
        return datetime.fromtimestamp(min(claims.exp + self._leeway_of(trusted), now + DISTANT_S), UTC)


async def _active(token: bytes, introspection: Introspection | None) -> dict[str, Any]:
    answer = None if introspection is None else await introspection.ask(token)
    if answer is None:
        raise BadToken("revoked", "The token does not count at its issuer: it was revoked, or never given.")
    return answer


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
