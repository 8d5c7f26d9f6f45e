"""Authlib's authorization server, fed with our requests and consumers and answering in ours.

Errors are those of RFC 6749 §5.2. An unknown client and a wrong secret get the same 401.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

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
from governance.issuer.access_tokens import AccessTokens
from governance.issuer.client import OAuthClient
from governance.issuer.grant import ClientCredentials
from governance.issuer.token_request import FormRequest, TokenRequest, read_form

JSON_HEADERS = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
)
BASIC = (b"www-authenticate", b'Basic realm="tiergate", charset="UTF-8"')


class TokenServer(AuthorizationServer):
    """The token endpoint over the consumers of the gateway."""

    def __init__(self, endpoint: str, consumers: Consumers, tokens: AccessTokens) -> None:
        super().__init__()
        self.tokens = tokens
        self._endpoint = endpoint
        self._consumers = consumers
        self.register_grant(ClientCredentials)

    def answer(self, request: TokenRequest) -> Answer:
        """The answer of ``POST /oauth/token``; may take some 50 ms of CPU for a secret seen first."""
        try:
            form = read_form(request, self._endpoint)
            grant = self._grant(form)
            grant.validate_token_request()
            _, members, _ = grant.create_token_response()
            return self.handle_response(200, members, {})
        except OAuth2Error as error:
            members: dict[str, object] = dict(error.get_body())
            return self.handle_response(error.status_code, members, {})

    def query_client(self, client_id: str) -> OAuthClient:
        """The client, or a stand-in that no secret fits."""
        return OAuthClient(client_id, self._consumers.get(client_id))

    def authenticate_client(
        self, request: OAuth2Request, methods: Collection[str], endpoint: str = "token"
    ) -> ClientMixin:
        """The client whose secret came along.

        Raises:
            InvalidClientError: there is no such client, or the secret is wrong.
        """
        try:
            return super().authenticate_client(request, methods, endpoint)
        except (InvalidClientError, ValueError) as error:  # ValueError: Basic credentials that are no base64 or UTF-8
            detail = "The client id or its secret is missing or wrong."
            raise InvalidClientError(detail, status_code=401) from error

    def _grant(self, form: FormRequest) -> ClientCredentials:
        if not form.fields.get("grant_type"):
            raise InvalidRequestError("Name the grant_type, such as client_credentials.")
        try:
            grant = self.get_token_grant(form)
        except UnsupportedGrantTypeError as error:
            error.description = "This grant type is not offered."
            raise
        if not isinstance(grant, ClientCredentials):
            raise TypeError(f"{type(grant).__name__} answers with no token of ours")
        return grant

    def handle_response(self, status: int, body: Mapping[str, object], headers: Mapping[str, str]) -> Answer:
        """The answer; never cached, and with a challenge where authentication failed."""
        challenge = (BASIC,) if status == 401 else ()
        return Answer(status, (*JSON_HEADERS, *challenge), msgspec.json.encode(body))

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nothing listens."""
