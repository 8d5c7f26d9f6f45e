"""Errors of the token endpoint that Authlib does not know."""

from __future__ import annotations

from authlib.oauth2.rfc6749 import OAuth2Error


class InvalidTarget(OAuth2Error):
    """RFC 8707 §2: the resource is unknown here."""

    error = "invalid_target"


class TemporarilyUnavailable(OAuth2Error):
    """The database is away: nothing can be issued or revoked that has to be kept."""

    error = "temporarily_unavailable"
    status_code = 503
