"""Authlib's authorization server, fed with our requests and consumers and answering in ours.

Errors are those of RFC 6749 §5.2. An unknown client and a wrong secret get the same 401.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec
from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    ClientMixin,
    InvalidClientError,
    InvalidRequestError,
    OAuth2Error,
    UnsupportedGrantTypeError,
)

from governance.call import Answer
from governance.consumers import Consumers
from governance.database import DatabaseAway
from governance.issuer.access_tokens import AccessTokens
from governance.issuer.client import METHODS, SECRET_METHODS, OAuthClient
from governance.issuer.code_grant import AuthorizationCode, Proof, RefreshToken
from governance.issuer.errors import TemporarilyUnavailable
from governance.issuer.exchange import TokenExchange
from governance.issuer.grant import ClientCredentials
from governance.issuer.grants import Grants
from governance.issuer.revocations import Revocations
from governance.issuer.token_desk import TokenDesk
from governance.issuer.token_request import FormRequest, TokenRequest, read_form
from governance.issuer.users import Users

JSON_HEADERS = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
)
BASIC = (b"www-authenticate", b'Basic realm="tiergate", charset="UTF-8"')
RETRY = (b"retry-after", b"1")
Members = Mapping[str, object]


class TokenServer(AuthorizationServer):
    """The token, introspection and revocation endpoints over the consumers and users of the gateway."""

    def __init__(
        self,
        endpoint: str,
        consumers: Consumers,
        users: Users,
        tokens: AccessTokens,
        grants: Grants,
        revocations: Revocations,
        desk: TokenDesk,
    ) -> None:
        super().__init__()
        self.tokens = tokens
        self.users = users
        self.grants = grants
        self.revocations = revocations
        self._endpoint = endpoint
        self._consumers = consumers
        self._desk = desk
        self.register_grant(ClientCredentials)
        self.register_grant(AuthorizationCode, [Proof()])
        self.register_grant(RefreshToken)
        self.register_grant(TokenExchange)

    def answer(self, request: TokenRequest) -> Answer:
        """The answer of ``POST /oauth/token``; may take some 50 ms of CPU for a secret seen first."""
        return self._answer(request, self._issue)

    def introspect(self, request: TokenRequest) -> Answer:
        """The answer of ``POST /oauth/introspect`` (RFC 7662)."""
        return self._answer(request, lambda form: self._desk.introspect(*self._known(form, SECRET_METHODS)))

    def revoke(self, request: TokenRequest) -> Answer:
        """The answer of ``POST /oauth/revoke`` (RFC 7009)."""
        return self._answer(request, lambda form: self._desk.revoke(*self._known(form, METHODS)))

    def query_client(self, client_id: str) -> OAuthClient:
        """The client, or a stand-in that no secret fits."""
        return OAuthClient(client_id, self._consumers.get(client_id))

    def authenticate_client(
        self, request: OAuth2Request, methods: Collection[str], endpoint: str = "token"
    ) -> ClientMixin:
        """The client whose secret came along, or the public client that was named.

        Raises:
            InvalidClientError: there is no such client, or the secret is wrong.
        """
        try:
            return super().authenticate_client(request, methods, endpoint)
        except (InvalidClientError, ValueError) as error:  # ValueError: Basic credentials that are no base64 or UTF-8
            detail = "The client id or its secret is missing or wrong."
            raise InvalidClientError(detail, status_code=401) from error

    def _answer(self, request: TokenRequest, work: Callable[[FormRequest], Members]) -> Answer:
        try:
            return self.handle_response(200, work(read_form(request, self._endpoint)), {})
        except DatabaseAway:
            error: OAuth2Error = TemporarilyUnavailable("This can't be done now; ask again.")
        except OAuth2Error as refused:
            error = refused
        members: dict[str, object] = dict(error.get_body())
        return self.handle_response(error.status_code, members, {})

    def _issue(self, form: FormRequest) -> dict[str, Any]:
        if not form.fields.get("grant_type"):
            raise InvalidRequestError("Name the grant_type, such as client_credentials.")
        try:
            grant: Any = self.get_token_grant(form)
        except UnsupportedGrantTypeError as error:
            error.description = "This grant type is not offered."
            raise
        grant.validate_token_request()
        _, members, _ = grant.create_token_response()
        return members

    def _known(self, form: FormRequest, methods: Collection[str]) -> tuple[Any, dict[str, str]]:
        client = self.authenticate_client(form, methods)
        if not isinstance(client, OAuthClient):
            raise TypeError(f"{type(client).__name__} is no client of ours")
        return client.consumer, form.fields

    def handle_response(self, status: int, body: Members, headers: Mapping[str, str]) -> Answer:
        """The answer; never cached, and with a challenge where authentication failed."""
        more = {401: (BASIC,), 503: (RETRY,)}.get(status, ())
        return Answer(status, (*JSON_HEADERS, *more), msgspec.json.encode(body))

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nothing listens."""
