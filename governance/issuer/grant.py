"""What all grants of the token endpoint share, and the client credentials grant: RFC 6749 §4.4, with RFC 8707.

Without a ``scope`` the token gets every scope of the client; with one, exactly those named, or
``invalid_scope``. With ``resource`` it gets only the scopes and audiences of the tiers named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import InvalidScopeError
from authlib.oauth2.rfc6749 import grants as rfc6749
from authlib.oauth2.rfc6749.grants.base import BaseGrant

from governance.consumers import Consumer
from governance.issuer.authority import Authority
from governance.issuer.client import METHODS, SECRET_METHODS, OAuthClient
from governance.issuer.token_request import FormRequest

if TYPE_CHECKING:
    from governance.issuer.server import TokenServer

Answered = Any
"""Status, members and headers; Authlib's stubs say text where its code gives members."""


class Granting(BaseGrant):
    """A grant of ours: its request is a ``FormRequest``, its server a ``TokenServer``, its client a consumer."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    @property
    def form(self) -> FormRequest:
        """The request with its form."""
        if not isinstance(self.request, FormRequest):
            raise TypeError("the grant was made for another kind of request")
        return self.request

    @property
    def issuing(self) -> TokenServer:
        """The server with the tokens, grants and users."""
        server: TokenServer = self.server
        return server

    @property
    def consumer(self) -> Consumer:
        """The authenticated client's consumer."""
        client = self.request.client
        if not isinstance(client, OAuthClient):
            raise TypeError("the grant is used before its client is authenticated")
        return client.consumer

    @property
    def requested(self) -> frozenset[str]:
        """The scopes that were named."""
        return frozenset(self.form.fields.get("scope", "").split())

    def refuse_other_scopes(self, held: frozenset[str]) -> None:
        """Refuse a scope that is not ``held``.

        Raises:
            InvalidScopeError: without saying which: it may exist and not be the caller's to know of.
        """
        if not held >= self.requested:
            raise InvalidScopeError("A scope was asked for that this client does not hold.")


class ClientCredentials(Granting, rfc6749.ClientCredentialsGrant):
    """Authlib's grant, judging scopes by client."""

    TOKEN_ENDPOINT_AUTH_METHODS = SECRET_METHODS

    def validate_requested_scope(self) -> None:
        """Refuse a scope that the client does not hold.

        Raises:
            InvalidScopeError: as ``refuse_other_scopes``.
        """
        self.refuse_other_scopes(self.consumer.scopes)

    def create_token_response(self) -> Answered:
        """The token as RFC 6749 §5.1 wants it."""
        scopes = self.requested or self.consumer.scopes
        authority = Authority.of_client(self.consumer)
        return 200, self.issuing.tokens.issue(authority, scopes, self.form.resources), []
