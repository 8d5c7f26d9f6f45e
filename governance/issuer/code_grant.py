"""Redeeming what a user granted: the authorization code with PKCE, and refresh tokens after it.

RFC 6749 §4.1.3 and §6, RFC 7636 §4.6 (S256 only), RFC 9700 §2.1.1, §2.2.2, §4.5 and §4.14. A code or
refresh token that comes a second time revokes the grant. The access token is made before the code
is spent, so that a request that asks for too much costs the client nothing.
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, InvalidGrantError, InvalidScopeError, TokenMixin
from authlib.oauth2.rfc6749 import grants as rfc6749
from authlib.oauth2.rfc7636 import CodeChallenge

from governance.issuer.authority import Authority
from governance.issuer.errors import InvalidTarget
from governance.issuer.grant import Answered, Granting
from governance.issuer.grants import Grant

S256 = "S256"
UNUSABLE = "The code or refresh token is unknown, expired, revoked, used before, or another client's."


class Proof(CodeChallenge):
    """PKCE, always, and by hash only."""

    DEFAULT_CODE_CHALLENGE_METHOD = S256
    SUPPORTED_CODE_CHALLENGE_METHOD = [S256]  # noqa: RUF012 - Authlib's own attribute


class Presented(AuthorizationCodeMixin, TokenMixin):
    """A grant as Authlib reads it, found by the code or refresh token that a client presented."""

    code_challenge_method = S256

    def __init__(self, grant: Grant) -> None:
        self.grant = grant
        self.code_challenge = grant.approved.code_challenge

    def get_redirect_uri(self) -> str:
        """Where the code was sent."""
        return self.grant.approved.redirect_uri

    def get_scope(self) -> str:
        """What the user granted."""
        return self.grant.approved.scope

    def check_client(self, client: Any) -> bool:
        """Whether the grant is the client's."""
        return self.grant.approved.client_id == client.get_client_id()


class UserGranting(Granting):
    """What both grants of users share."""

    def usable(self, grant: Grant | None, client_id: str) -> Presented | None:
        """The grant where it may be used; one whose code or token was used before is revoked instead."""
        if grant is None or grant.approved.client_id != client_id:
            return None
        if grant.spent:
            self.issuing.grants.revoke(grant)
            return None
        return Presented(grant) if grant.live else None

    @staticmethod
    def presented(found: object) -> Presented:
        """What the validation of the request found."""
        if not isinstance(found, Presented):
            raise TypeError("the grant answers before its request was validated")
        return found

    def access_token(self, grant: Grant) -> dict[str, Any]:
        """The token for what the user granted, as far as user and client still hold it.

        Raises:
            InvalidGrantError: there is no such user any more.
            InvalidScopeError: a scope was named that was not granted.
            InvalidTarget: a resource was named that was not granted.
        """
        approved = grant.approved
        user = self.issuing.users.get(approved.username)
        if user is None:
            raise InvalidGrantError(UNUSABLE)
        granted = frozenset(approved.scope.split())
        if not granted >= self.requested:
            raise InvalidScopeError("A scope was asked for that was not granted.")
        if approved.resources and not frozenset(approved.resources) >= frozenset(self.form.resources):
            raise InvalidTarget("A resource was named that was not granted.")
        scopes = (self.requested or granted) & user.scopes & self.consumer.scopes
        authority = Authority.of_user(user, self.consumer, grant.grant_id)
        return self.issuing.tokens.issue(authority, scopes, self.form.resources or approved.resources)

    def answered(self, members: dict[str, Any], refresh_token: str | None) -> Answered:
        """The answer with the next refresh token.

        Raises:
            InvalidGrantError: another request spent the code or token first.
        """
        if refresh_token is None:
            raise InvalidGrantError(UNUSABLE)
        return 200, members | ({"refresh_token": refresh_token} if refresh_token else {}), []


class AuthorizationCode(UserGranting, rfc6749.AuthorizationCodeGrant):
    """Authlib's grant over ours."""

    def query_authorization_code(self, code: str, client: Any) -> Presented | None:
        """The grant of the code, where this client may redeem it."""
        return self.usable(self.issuing.grants.of_code(code), client.get_client_id())

    def create_token_response(self) -> Answered:
        """The first tokens of the grant."""
        presented = self.presented(self.request.authorization_code)
        members = self.access_token(presented.grant)
        refreshable = self.consumer.may_be_granted(RefreshToken.GRANT_TYPE)
        code = self.form.fields["code"]
        return self.answered(members, self.issuing.grants.redeem(presented.grant, code, refreshable=refreshable))


class RefreshToken(UserGranting, rfc6749.RefreshTokenGrant):
    """Authlib's grant over ours; every refresh token works once."""

    def authenticate_refresh_token(self, refresh_token: str) -> Presented:
        """The grant of the refresh token.

        Raises:
            InvalidGrantError: this client may not use it.
        """
        grant = self.issuing.grants.of_refresh_token(refresh_token)
        presented = self.usable(grant, self.consumer.client_id)
        if presented is None:
            raise InvalidGrantError(UNUSABLE)
        return presented

    def create_token_response(self) -> Answered:
        """The next tokens of the grant."""
        presented = self.presented(self.request.refresh_token)
        members = self.access_token(presented.grant)
        token = self.form.fields["refresh_token"]
        return self.answered(members, self.issuing.grants.rotate(presented.grant, token))
