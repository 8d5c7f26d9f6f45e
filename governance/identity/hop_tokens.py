"""Hop tokens: what one process of the gateway shows another when a tier calls the next.

A hop token is signed with the gateway's own key, which its processes share; it names the user, the
calling API and the scope of one operation, and lives 60 seconds. Its issuer, type and key differ
from those of every user token, so neither is ever accepted for the other. The user's own token
never crosses a tier.

Standards: RFC 8693 §4.1 (``act``), RFC 8725 §3.11 (explicit type) and §3.12 (mutually exclusive
validation rules).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import msgspec
from joserfc import jws
from joserfc.jwk import OKPKey

from governance.call import Clock, Principal
from governance.contract.operation import TIERS, Operation
from governance.identity.issuers import HOP_TYPE, TrustedIssuer
from governance.identity.key_file import ALGORITHM
from governance.identity.key_sources import OwnKeys

ISSUER = "urn:tiergate:hop"
GOVERNANCE = "governance"
LIFETIME_S = 60
RENEW_AFTER_S = 30.0
MOST_TOKENS = 10_000


def hop_audience(tier: str) -> str:
    """The audience of hop tokens for ``tier``: the same wherever its processes listen."""
    return f"urn:tiergate:tier:{tier}"


class HopTokens:
    """Makes hop tokens with the first of ``keys``; ``trusted`` says how the others check them."""

    def __init__(self, keys: Iterable[OKPKey], clock: Clock) -> None:
        self._keys = tuple(keys)
        self._clock = clock
        self._made: OrderedDict[tuple[Principal, str, str, str], tuple[str, float]] = OrderedDict()

    def trusted(self, public_url: str) -> TrustedIssuer:
        """The issuer that a ``TokenVerifier`` must know to accept hop tokens."""
        base = public_url.rstrip("/")
        return TrustedIssuer(
            issuer=ISSUER,
            keys=OwnKeys(self._keys),
            algorithms=(ALGORITHM,),
            token_type=HOP_TYPE,
            audiences={GOVERNANCE: ()} | {tier: self._audiences(base, tier) for tier in TIERS},
        )

    @staticmethod
    def _audiences(base: str, tier: str) -> tuple[str, ...]:
        return () if tier == "experience" else (hop_audience(tier), f"{base}/{tier}")  # no API calls an experience

    def token_for(self, user: Principal, acting_api: str, operation: Operation, audience: str = "") -> str:
        """The token with which ``acting_api`` (such as ``portal.v1``) calls ``operation`` for ``user``.

        ``audience`` is the called tier's own where it has one; by default ``hop_audience`` of it.
        """
        aud = audience or hop_audience(operation.tier)
        wanted = (user, acting_api, operation.id, aud)
        made = self._made.get(wanted)
        now = self._clock.monotonic()
        if made is not None and now < made[1]:
            return made[0]
        token = self._sign(user, acting_api, operation, aud)
        self._made[wanted] = (token, now + RENEW_AFTER_S)
        self._made.move_to_end(wanted)
        if len(self._made) > MOST_TOKENS:
            self._made.popitem(last=False)
        return token

    def _sign(self, user: Principal, acting_api: str, operation: Operation, audience: str) -> str:
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "sub": user.subject,
            "act": {"sub": acting_api},
            "client_id": user.client_id,
            "scope": operation.scope,
            "user_scope": " ".join(sorted(user.scopes)),
            "accounts": user.accounts.ids,
            "account_reach": user.accounts.reach,
            "iat": now,
            "exp": now + LIFETIME_S,
        }
        key = self._keys[0]
        header = {"alg": ALGORITHM, "typ": HOP_TYPE, "kid": key.kid}
        return jws.serialize_compact(header, msgspec.json.encode(claims), key, algorithms=[ALGORITHM])
