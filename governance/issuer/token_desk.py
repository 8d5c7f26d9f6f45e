"""Looking up and revoking tokens: RFC 7662 and RFC 7009, for clients that say who they are.

A client learns of its own tokens; one that holds ``governance:read`` learns of all. Of every other
token, as of one that is unknown, expired or revoked, the answer is the same: ``{"active": false}``.
A client revokes its own tokens only. Revoking a refresh token ends the grant with all its tokens;
revoking an access token ends it and what was exchanged for it.
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError

from governance.consumers import Consumer
from governance.issuer.access_tokens import AccessTokens
from governance.issuer.grants import Grant, Grants
from governance.issuer.revocations import Revocations

INACTIVE = {"active": False}
SEES_ALL = "governance:read"
SHOWN = ("iss", "sub", "aud", "client_id", "scope", "iat", "exp", "jti", "act")


class TokenDesk:
    """Both endpoints, once the client is known."""

    def __init__(self, issuer: str, tokens: AccessTokens, grants: Grants, revocations: Revocations) -> None:
        self._issuer = issuer
        self._tokens = tokens
        self._grants = grants
        self._revocations = revocations

    def introspect(self, consumer: Consumer, fields: dict[str, str]) -> dict[str, Any]:
        """What RFC 7662 §2.2 tells of ``token``.

        Raises:
            InvalidRequestError: there is none.
        """
        token = _token(fields)
        claims = self._tokens.read(token)
        if claims is not None:
            if self._revocations.revokes(claims) or not _sees(consumer, claims["client_id"]):
                return INACTIVE
            members = {name: claims[name] for name in SHOWN if name in claims}
            return {"active": True, "token_type": "Bearer", **members}
        grant = self._grants.of_refresh_token(token)
        if grant is None or grant.spent or not grant.live or not _sees(consumer, grant.approved.client_id):
            return INACTIVE
        return {"active": True, "token_type": "refresh_token", **self._members(grant)}

    def revoke(self, consumer: Consumer, fields: dict[str, str]) -> dict[str, Any]:
        """End ``token``; nothing happens where it is unknown or has ended (RFC 7009 §2.2).

        Raises:
            InvalidRequestError: there is none.
            InvalidGrantError: it is another client's.
        """
        token = _token(fields)
        claims = self._tokens.read(token)
        grant = None if claims else self._grants.of_refresh_token(token)
        owner = claims["client_id"] if claims else grant.approved.client_id if grant else consumer.client_id
        if owner != consumer.client_id:
            raise InvalidGrantError("The token is another client's.")
        if claims is not None:
            self._grants.revoke_token(claims["jti"], claims["exp"])
        elif grant is not None:
            self._grants.revoke(grant)
        return {}

    def _members(self, grant: Grant) -> dict[str, Any]:
        return {
            "iss": self._issuer,
            "sub": grant.approved.username,
            "client_id": grant.approved.client_id,
            "scope": grant.approved.scope,
            "exp": grant.until_us // 1_000_000,
        }


def _sees(consumer: Consumer, client_id: str) -> bool:
    return consumer.client_id == client_id or SEES_ALL in consumer.scopes


def _token(fields: dict[str, str]) -> str:
    token = fields.get("token")
    if not token:
        raise InvalidRequestError("Send the token.")
    return token
