"""Making JWT access tokens, RFC 9068 §2, signed with the gateway's issuer key; and reading them back."""

from __future__ import annotations

from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Any

import msgspec
from authlib.oauth2.rfc6749 import InvalidScopeError
from joserfc import jws
from joserfc.errors import JoseError

from governance.call import Clock
from governance.consumers import GOVERNANCE, ScopeCatalogue
from governance.contract.operation import TIERS
from governance.identity.issuers import ACCESS_TYPE
from governance.identity.key_file import ALGORITHM
from governance.identity.key_sources import choose
from governance.issuer.authority import Authority
from governance.issuer.errors import InvalidTarget
from governance.issuer.key_ring import KeyRing


class AccessTokens:
    """Issues tokens of ``issuer`` for the tiers under it, valid for ``lifetime_s``."""

    def __init__(self, issuer: str, keys: KeyRing, catalogue: ScopeCatalogue, clock: Clock, lifetime_s: int) -> None:
        self._issuer = issuer
        self._keys = keys
        self._catalogue = catalogue
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._tiers: Mapping[str, str] = {f"{issuer}/{tier}": tier for tier in (*TIERS, GOVERNANCE)}

    def issue(
        self, authority: Authority, scopes: frozenset[str], resources: tuple[str, ...] = (), lifetime_s: int = 0
    ) -> dict[str, Any]:
        """The members of the token answer (RFC 6749 §5.1), for ``lifetime_s`` seconds where that is given.

        Raises:
            InvalidTarget: a resource is none of the tiers.
            InvalidScopeError: none of the scopes opens a named resource.
        """
        tiers = self.targets(resources)
        if tiers:
            scopes = frozenset(scope for scope in scopes if self._catalogue.tiers((scope,)) & tiers)
            if not scopes:
                raise InvalidScopeError("The client holds no scope of this resource.")
        opened = tiers or self._catalogue.tiers(scopes) or frozenset(TIERS)
        if authority.tiers is not None:
            opened &= authority.tiers
        scope = " ".join(sorted(scopes))
        now = self._clock.now().timestamp()
        until = min(int(now) + (lifetime_s or self._lifetime_s), int(authority.until_s or now + self._lifetime_s))
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "sub": authority.subject,
            "aud": sorted(f"{self._issuer}/{tier}" for tier in opened),
            "client_id": authority.client_id,
            "scope": scope,
            "accounts": authority.accounts,
            "account_reach": authority.account_reach,
            "iat": int(now),
            "exp": until,
            "jti": token_urlsafe(16),
        }
        if authority.revoked_with:
            claims["revoked_with"] = authority.revoked_with
        if authority.act is not None:
            claims["act"] = authority.act
        access_token = self.sign(claims)
        return {"access_token": access_token, "token_type": "Bearer", "expires_in": until - int(now), "scope": scope}

    def sign(self, claims: Mapping[str, Any], token_type: str = ACCESS_TYPE) -> str:
        """A signed token of exactly these claims, also of wrong ones: the run-time proof needs such."""
        key = self._keys.signing()
        header = {"alg": ALGORITHM, "typ": token_type, "kid": key.kid}
        return jws.serialize_compact(header, msgspec.json.encode(claims), key, algorithms=[ALGORITHM])

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of an access token of ours that has not expired, or None."""
        try:
            header = jws.extract_compact(token.encode()).headers()
            key = choose(self._keys.published(), header.get("kid"), ALGORITHM)
            if key is None or header.get("typ") != ACCESS_TYPE:
                return None
            payload = jws.deserialize_compact(token, key, algorithms=[ALGORITHM]).payload
            claims = msgspec.json.decode(payload, type=dict[str, Any])
        except (JoseError, ValueError):  # MsgspecError and UnicodeError are ValueErrors
            return None
        live = claims.get("iss") == self._issuer and claims.get("exp", 0) > self._clock.now().timestamp()
        return claims if live else None

    def targets(self, resources: tuple[str, ...]) -> frozenset[str]:
        """The tiers that these resources are.

        Raises:
            InvalidTarget: one is none.
        """
        unknown = [resource for resource in resources if resource not in self._tiers]
        if unknown:
            raise InvalidTarget("The resource is none of the tiers that this issuer serves.")
        return frozenset(self._tiers[resource] for resource in resources)
