"""The tokens that probes are sent with: one good one, and every wrong kind of it (RFC 9068, RFC 8725)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from msgspec import Struct

from governance.call import Clock
from governance.contract.operation import Operation

TokenKind = Literal["valid", "none", "garbage", "expired", "wrong-audience", "no-scope", "other-account"]
LIFETIME_S = 300
LONG_AGO_S = 3_600
GARBAGE = "not.a-token"
STRANGER = "SOMEBODY-ELSE"
"""An account that nothing belongs to."""


class ProbeTokens(Struct, frozen=True, kw_only=True):
    """Makes tokens of ``issuer`` for a client that is made up for each operation, so that no limit is shared."""

    sign: Callable[[Mapping[str, Any]], str]
    """Signs claims with the issuer's key."""
    issuer: str
    clock: Clock
    accounts: tuple[str, ...] = ()
    """The accounts that the client acts for; none for all of them."""

    def token(self, kind: TokenKind, operation: Operation, client: str = "") -> str | None:
        """A token of this kind for one operation; None where there is none to send."""
        if kind == "none":
            return None
        if kind == "garbage":
            return GARBAGE
        return self.sign(self._claims(kind, operation, client or f"prover:{operation.id}"))

    def _claims(self, kind: TokenKind, operation: Operation, client: str) -> dict[str, Any]:
        now = int(self.clock.now().timestamp()) - (LONG_AGO_S if kind == "expired" else 0)
        accounts = (STRANGER,) if kind == "other-account" else self.accounts
        tier = "elsewhere" if kind == "wrong-audience" else operation.tier
        return {
            "iss": self.issuer,
            "sub": client,
            "client_id": client,
            "aud": f"{self.issuer}/{tier}",
            "scope": "" if kind == "no-scope" else operation.scope,
            "accounts": accounts,
            "account_reach": "own" if accounts else "all",
            "iat": now,
            "exp": now + LIFETIME_S,
            "jti": f"{client}:{kind}",
        }
