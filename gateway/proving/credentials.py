"""Whose tokens a run is made with.

On the machine of a gateway with the embedded issuer, the issuer's own key in the home signs every
kind of token. Elsewhere a client of the issuer is used, as its owner would: its token endpoint is
found by the gateway's metadata (RFC 9728, RFC 8414) and asked by client credentials (RFC 6749 §4.4)
for one tier (RFC 8707). What only the issuer could make is then left unproved.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from msgspec import Struct

from gateway.settings import Settings
from governance.call import SystemClock
from governance.identity import KeyFile
from governance.prove import ProbeTokens, Tokens, Unprovable
from governance.prove.given_tokens import Fetch, GivenTokens, claims_of

TIMEOUT_S = 10.0
SERVER_PATHS = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
ACCOUNT = "ACME"
"""The account that samples name."""


class NoCredentials(Exception):
    """There is nothing to prove with; the message says what to give."""


class Credentials(Struct, frozen=True, kw_only=True):
    """Tokens, and the account that they are bound to."""

    tokens: Tokens
    account: str


class Given(Struct, frozen=True, kw_only=True):
    """What the command line names."""

    token: str = ""
    client_id: str = ""
    secret: str = ""
    account: str = ""


def credentials(settings: Settings, url: str, given: Given) -> Credentials:
    """What probes of the gateway at ``url`` are sent with.

    Raises:
        NoCredentials: nothing was given and nothing is there.
        KeyFileError: the key file of the home can't be used.
    """
    if given.token:
        return _of_somebody(_always(given.token), given.account)
    if given.client_id:
        endpoint = Endpoint(url, given.client_id, given.secret)
        return _of_somebody(endpoint.token, given.account)
    file = settings.home / "keys" / "issuer.json"
    metadata = _json(f"{url}{SERVER_PATHS[0]}")
    if metadata is None or not file.exists() or not _issues(url, file):
        raise NoCredentials(
            f"There is nothing to prove {url} with: name a client of its issuer with --client (or --token), "
            "or run this where the gateway's home is, if it issues tokens itself."
        )
    account = given.account or ACCOUNT
    key = KeyFile(file).load_or_create()[0]
    tokens = ProbeTokens(key=key, issuer=str(metadata["issuer"]), clock=SystemClock(), accounts=(account,))
    return Credentials(tokens=tokens, account=account)


def _issues(url: str, file: Path) -> bool:
    """Whether the gateway publishes the key that the file begins with."""
    published = _json(f"{url}/.well-known/jwks.json") or {}
    own = KeyFile(file).load_or_create()[0].kid
    return any(key.get("kid") == own for key in published.get("keys", ()))


def _always(token: str) -> Fetch:
    def fetch(_: frozenset[str], __: str) -> str:
        return token

    return fetch


def _of_somebody(fetch: Fetch, account: str) -> Credentials:
    tokens = GivenTokens(fetch)
    if not account:
        try:
            named = claims_of(fetch(frozenset(), "")).get("accounts", ())
        except Unprovable:
            named = ()
        found = [named] if isinstance(named, str) else list(named)
        account = str(found[0]) if found else ACCOUNT
    return Credentials(tokens=tokens, account=account)


class Endpoint:
    """The token endpoint of the issuer that a gateway believes, for one client."""

    def __init__(self, url: str, client_id: str, secret: str) -> None:
        self._url = url
        self._auth = (client_id, secret)
        self._address = ""

    def token(self, scopes: frozenset[str], tier: str) -> str:
        """An access token with these scopes for one tier; without them with all that the client has.

        Raises:
            Unprovable: the issuer gives none.
            NoCredentials: the issuer can't be found.
        """
        form = {"grant_type": "client_credentials"}
        if scopes:
            form["scope"] = " ".join(sorted(scopes))
        if tier:
            form["resource"] = self._resource(tier)
        try:
            answer = httpx2.post(self._found(), data=form, auth=self._auth, timeout=TIMEOUT_S)
            said = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise NoCredentials(f"The issuer of {self._url} gives no tokens ({type(error).__name__}).") from None
        if answer.status_code == 401:
            raise NoCredentials(f"The issuer of {self._url} does not know the client {self._auth[0]} or its secret.")
        if "access_token" not in said:
            raise Unprovable(f"the issuer gives the client no such token ({said.get('error', answer.status_code)})")
        return str(said["access_token"])

    def _resource(self, tier: str) -> str:
        metadata = _json(f"{self._url}/.well-known/oauth-protected-resource/{tier}") or {}
        return str(metadata.get("resource", f"{self._url}/{tier}"))

    def _found(self) -> str:
        if not self._address:
            metadata = _json(f"{self._url}/.well-known/oauth-protected-resource/system") or {}
            for server in metadata.get("authorization_servers", ()):
                for path in SERVER_PATHS:
                    found = _json(f"{str(server).rstrip('/')}{path}")
                    self._address = self._address or str((found or {}).get("token_endpoint", ""))
        if not self._address:
            raise NoCredentials(f"{self._url} does not say where its issuer gives tokens; give one with --token.")
        return self._address


def _json(url: str) -> Mapping[str, Any] | None:
    """The JSON object at a URL; None where there is none."""
    try:
        answer = httpx2.get(url, timeout=TIMEOUT_S)
        return msgspec.json.decode(answer.content, type=dict[str, Any]) if answer.status_code == 200 else None
    except (httpx2.HTTPError, msgspec.DecodeError):
        return None
