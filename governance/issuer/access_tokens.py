"""Making JWT access tokens: RFC 9068 §2, signed with the gateway's issuer key."""

from __future__ import annotations

from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Any

import msgspec
from authlib.oauth2.rfc6749 import InvalidScopeError
from joserfc import jws
from joserfc.jwk import OKPKey

from governance.call import Clock
from governance.consumers import GOVERNANCE, Consumer, ScopeCatalogue
from governance.contract.operation import TIERS
from governance.identity.issuers import ACCESS_TYPE
from governance.identity.key_file import ALGORITHM
from governance.issuer.grant import InvalidTarget


class AccessTokens:
    """Issues tokens of ``issuer`` for the tiers under it, valid for ``lifetime_s``."""

    def __init__(self, issuer: str, key: OKPKey, catalogue: ScopeCatalogue, clock: Clock, lifetime_s: int) -> None:
        self._issuer = issuer
        self._key = key
        self._catalogue = catalogue
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._tiers: Mapping[str, str] = {f"{issuer}/{tier}": tier for tier in (*TIERS, GOVERNANCE)}

    def issue(self, consumer: Consumer, scopes: frozenset[str], resources: tuple[str, ...] = ()) -> dict[str, Any]:
        """The members of the token answer (RFC 6749 §5.1).

        Raises:
            InvalidTarget: a resource is none of the tiers.
            InvalidScopeError: none of the scopes opens a named resource.
        """
        tiers = self._targets(resources)
        if tiers:
            scopes = frozenset(scope for scope in scopes if self._catalogue.tiers((scope,)) & tiers)
            if not scopes:
                raise InvalidScopeError("The client holds no scope of this resource.")
        opened = tiers or self._catalogue.tiers(scopes) or frozenset(TIERS)
        scope = " ".join(sorted(scopes))
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self._issuer,
            "sub": consumer.client_id,
            "aud": sorted(f"{self._issuer}/{tier}" for tier in opened),
            "client_id": consumer.client_id,
            "scope": scope,
            "accounts": consumer.accounts,
            "account_reach": consumer.account_reach,
            "iat": now,
            "exp": now + self._lifetime_s,
            "jti": token_urlsafe(16),
        }
        access_token = self.sign(claims)
        return {"access_token": access_token, "token_type": "Bearer", "expires_in": self._lifetime_s, "scope": scope}

    def sign(self, claims: Mapping[str, Any], token_type: str = ACCESS_TYPE) -> str:
        """A signed token of exactly these claims, also of wrong ones: the run-time proof needs such."""
        header = {"alg": ALGORITHM, "typ": token_type, "kid": self._key.kid}
        return jws.serialize_compact(header, msgspec.json.encode(claims), self._key, algorithms=[ALGORITHM])

    def _targets(self, resources: tuple[str, ...]) -> frozenset[str]:
        unknown = [resource for resource in resources if resource not in self._tiers]
        if unknown:
            raise InvalidTarget("The resource is none of the tiers that this issuer serves.")
        return frozenset(self._tiers[resource] for resource in resources)
