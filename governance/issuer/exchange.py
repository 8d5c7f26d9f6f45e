"""Token exchange: RFC 8693. A service that was called with a token gets a narrower one to call on with.

The subject token must be an access token of this issuer that is alive. The new one keeps subject and
accounts, names the service in ``act``, and never has a scope, tier or lifetime that the subject token
or the service lacks. It ends with the subject token: at its expiry, or when that is revoked. Only
clients with a secret whose declaration names the grant may use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, InvalidScopeError, UnauthorizedClientError
from authlib.oauth2.rfc6749.grants.base import TokenEndpointMixin

from governance.issuer.authority import Authority
from governance.issuer.client import EXCHANGE, SECRET_METHODS
from governance.issuer.errors import InvalidTarget
from governance.issuer.grant import Answered, Granting

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the name of a type
JWT = "urn:ietf:params:oauth:token-type:jwt"
MOST_ACTORS = 5


class TokenExchange(Granting, TokenEndpointMixin):
    """The grant of RFC 8693 §2.1."""

    GRANT_TYPE = EXCHANGE
    TOKEN_ENDPOINT_AUTH_METHODS = SECRET_METHODS

    def validate_token_request(self) -> None:
        """Judge client and parameters.

        Raises:
            InvalidRequestError: a parameter is missing or not offered.
            UnauthorizedClientError: the client may not exchange tokens.
        """
        client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(EXCHANGE):
            raise UnauthorizedClientError("This client may not exchange tokens.")
        self.request.client = client
        fields = self.form.fields
        if not fields.get("subject_token") or fields.get("subject_token_type") not in (ACCESS_TOKEN, JWT):
            raise InvalidRequestError(f"Send subject_token, and subject_token_type {ACCESS_TOKEN}.")
        if "actor_token" in fields or "actor_token_type" in fields:
            raise InvalidRequestError("actor_token is not offered: the client itself is the actor.")
        if fields.get("requested_token_type", ACCESS_TOKEN) not in (ACCESS_TOKEN, JWT):
            raise InvalidRequestError(f"Only {ACCESS_TOKEN} can be requested.")

    def create_token_response(self) -> Answered:
        """The narrower token.

        Raises:
            InvalidGrantError: the subject token proves nothing.
            InvalidScopeError: a scope was named that subject token or client lack.
            InvalidTarget: a resource was named that the subject token does not open.
        """
        subject = self._subject()
        held = frozenset(subject["scope"].split())
        if not held & self.consumer.scopes >= self.requested:
            raise InvalidScopeError("A scope was asked for that the subject token or this client does not hold.")
        tiers = self.issuing.tokens.targets(tuple(subject["aud"]))
        resources = (*self.form.resources, *self.form.fields.get("audience", "").split())
        if not self.issuing.tokens.targets(resources) <= tiers:
            raise InvalidTarget("The subject token does not open this resource.")
        authority = Authority(
            subject=subject["sub"],
            client_id=self.consumer.client_id,
            accounts=tuple(subject["accounts"]),
            account_reach=subject["account_reach"],
            revoked_with=(subject["jti"], *subject.get("revoked_with", ())),
            act=self._act(subject),
            until_s=subject["exp"],
            tiers=tiers,
        )
        scopes = (self.requested or held) & self.consumer.scopes
        members = self.issuing.tokens.issue(authority, scopes, resources)
        return 200, {**members, "issued_token_type": ACCESS_TOKEN}, []

    def _subject(self) -> Mapping[str, Any]:
        claims = self.issuing.tokens.read(self.form.fields["subject_token"])
        if claims is None or self.issuing.revocations.revokes(claims):
            raise InvalidGrantError("The subject token is no living access token of this issuer.")
        return claims

    def _act(self, subject: Mapping[str, Any]) -> dict[str, Any]:
        former = subject.get("act")
        depth, actor = 1, former
        while actor:
            depth, actor = depth + 1, actor.get("act")
        if depth > MOST_ACTORS:
            raise InvalidGrantError(f"A token can't be handed on more than {MOST_ACTORS} times.")
        return {"sub": self.consumer.client_id} | ({"act": former} if former else {})
