"""In whose name an access token is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from governance.consumers import Consumer
from governance.issuer.users import User


class Authority(Struct, frozen=True, kw_only=True):
    """In whose name a token is, and what ends it early."""

    subject: str
    client_id: str
    accounts: tuple[str, ...]
    account_reach: Literal["own", "subtree", "all"]
    revoked_with: tuple[str, ...] = ()
    """Grants and tokens it comes from: revoking one of them revokes it."""
    act: Mapping[str, Any] | None = None
    """RFC 8693 §4.1: who acts for the subject."""
    until_s: float | None = None
    """Not to outlive this, in seconds since 1970 UTC."""
    tiers: frozenset[str] | None = None
    """Not to open any other tier."""

    @classmethod
    def of_client(cls, consumer: Consumer) -> Authority:
        """A client in its own name."""
        return cls(
            subject=consumer.client_id,
            client_id=consumer.client_id,
            accounts=consumer.accounts,
            account_reach=consumer.account_reach,
            tiers=consumer.audiences or None,
        )

    @classmethod
    def of_user(cls, user: User, consumer: Consumer, grant_id: str) -> Authority:
        """A client in the name of a user: the records are the user's."""
        return cls(
            subject=user.username,
            client_id=consumer.client_id,
            accounts=user.accounts,
            account_reach=user.account_reach,
            revoked_with=(grant_id,),
            tiers=consumer.audiences or None,
        )
