"""A consumer: one client of the gateway, who answers for it and what it may do."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from governance.call import Accounts
from governance.consumers.secrets import Secret


class Consumer(Struct, frozen=True, kw_only=True):
    """One client, checked and with its role and secrets resolved."""

    client_id: str
    name: str
    contact: str = ""
    secrets: tuple[Secret, ...] = ()
    """Up to two at once, for rotation; none where another issuer knows them."""
    scopes: frozenset[str] = frozenset()
    accounts: tuple[str, ...] = ()
    account_reach: Literal["own", "subtree", "all"] = "own"
    plan: str = "default"
    audiences: frozenset[str] = frozenset()
    """The tiers (and ``governance``) at which its tokens may be used; empty for all that its scopes open."""
    origins: tuple[str, ...] = ()
    """Origins from which browsers may call with this client's tokens (CORS)."""
    redirect_uris: tuple[str, ...] = ()
    """Where users may be sent back to after they signed in, compared exactly."""
    public: bool = False
    """A browser or native app, which can keep no secret."""
    grants: tuple[str, ...] = ()
    """The grant types it may use; empty for those that follow from its secrets and redirect URIs."""

    @property
    def visible(self) -> Accounts:
        """The accounts whose records this client's tokens open."""
        return Accounts(ids=self.accounts, reach=self.account_reach)

    def may_be_granted(self, grant_type: str) -> bool:
        """Whether the client may use a grant type of the embedded issuer."""
        if self.grants:
            return grant_type in self.grants
        if grant_type == "client_credentials":
            return not self.public
        return bool(self.redirect_uris) and grant_type in ("authorization_code", "refresh_token")

    def may_use(self, tier: str) -> bool:
        """Whether this client's tokens are good at ``tier``, whoever issued them."""
        return not self.audiences or tier in self.audiences

    def knows(self, secret: str) -> bool:
        """Whether ``secret`` is one of the client's; some 50 ms of CPU a hash, unless it was accepted before."""
        return any(one.recognises(secret) for one in self.secrets) or any(one.matches(secret) for one in self.secrets)
