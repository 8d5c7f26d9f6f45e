"""The client credentials grant: RFC 6749 §4.4, with RFC 8707 resources.

Without a ``scope`` the token gets every scope of the client; with one, exactly those named, or
``invalid_scope``. With ``resource`` it gets only the scopes and audiences of the tiers named.
"""

from __future__ import annotations

from typing import Any, Protocol

from authlib.oauth2.rfc6749 import InvalidScopeError, OAuth2Error
from authlib.oauth2.rfc6749 import grants as rfc6749

from governance.consumers import Consumer
from governance.issuer.client import METHODS, OAuthClient
from governance.issuer.token_request import FormRequest


class InvalidTarget(OAuth2Error):
    """RFC 8707 §2: the resource is unknown here."""

    error = "invalid_target"


class Tokens(Protocol):
    """Makes the members of a token answer."""

    def issue(self, consumer: Consumer, scopes: frozenset[str], resources: tuple[str, ...]) -> dict[str, Any]:
        """The token for these scopes and resources."""
        ...


class ClientCredentials(rfc6749.ClientCredentialsGrant):
    """Authlib's grant, judging scopes by client."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    @property
    def form(self) -> FormRequest:
        """The request with its form."""
        if not isinstance(self.request, FormRequest):
            raise TypeError("the grant was made for another kind of request")
        return self.request

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

    def validate_requested_scope(self) -> None:
        """Refuse a scope that the client does not hold.

        Raises:
            InvalidScopeError: without saying which: it may exist and not be the caller's to know of.
        """
        if not self.consumer.scopes >= self.requested:
            raise InvalidScopeError("A scope was asked for that this client does not hold.")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """The token as RFC 6749 §5.1 wants it."""
        tokens: Tokens = self.server.tokens
        token = tokens.issue(self.consumer, self.requested or self.consumer.scopes, self.form.resources)
        return 200, token, []
