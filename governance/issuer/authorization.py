"""The authorization request: what a client asks a user for. RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2.

Judged in two steps. While client and redirect URI are not known to belong together, nothing is sent
anywhere (RFC 9700 §4.11): the user is told, and stays. Everything else that is wrong is told to the
client, by an address that the user follows. PKCE is demanded of every client, by S256 only
(RFC 9700 §2.1.1); implicit grants, request objects and other response modes are not offered.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct

from governance.consumers import Consumer, Consumers
from governance.consumers.redirects import same_redirect
from governance.issuer.access_tokens import AccessTokens
from governance.issuer.errors import InvalidTarget

LIMIT_CHARACTERS = 8_192
MOST_FIELDS = 32
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
PRINTABLE = re.compile(r"[ -~]{0,2048}")


class Unusable(Exception):
    """It can't be known who asks, or where to answer: only the user is told."""


class Refused(Exception):
    """The client asked for what it can't have; ``location`` tells it so (RFC 6749 §4.1.2.1)."""

    def __init__(self, consumer: Consumer, location: str, description: str) -> None:
        super().__init__(description)
        self.consumer = consumer
        self.location = location


class Asked(Struct, frozen=True, kw_only=True):
    """An authorization request that can be granted."""

    consumer: Consumer
    redirect_uri: str
    state: str | None
    scopes: frozenset[str]
    resources: tuple[str, ...]
    challenge: str


class Requests:
    """Reads authorization requests and makes the answers to them."""

    def __init__(self, issuer: str, consumers: Consumers, tokens: AccessTokens) -> None:
        self._issuer = issuer
        self._consumers = consumers
        self._tokens = tokens

    def read(self, query: str) -> Asked:
        """The request that a query string makes.

        Raises:
            Unusable: client or redirect URI are missing, unknown or don't belong together.
            Refused: something else is wrong.
        """
        fields, repeated, resources = _fields(query)
        consumer = self._consumers.get(fields.get("client_id", ""))
        uri = fields.get("redirect_uri", "")
        if consumer is None or {"client_id", "redirect_uri"} & repeated:
            raise Unusable("The application that sent you here is not known.")
        if not any(same_redirect(declared, uri) for declared in consumer.redirect_uris):
            raise Unusable(f"{consumer.name} asked to send you to an address that does not belong to it.")
        state = fields.get("state")
        found = self._wrong(consumer, fields, repeated, resources)
        if found is not None:
            members = {"error": found[0], "error_description": found[1]}
            raise Refused(consumer, self.location(uri, state, members), found[1])
        return Asked(
            consumer=consumer,
            redirect_uri=uri,
            state=state,
            scopes=frozenset(fields.get("scope", "").split()) or consumer.scopes,
            resources=resources,
            challenge=fields["code_challenge"],
        )

    def location(self, redirect_uri: str, state: str | None, members: dict[str, str]) -> str:
        """Where the answer goes; it says who answers (RFC 9207 §2)."""
        said = {**members, **({} if state is None else {"state": state}), "iss": self._issuer}
        return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(said)}"

    def _wrong(
        self, consumer: Consumer, fields: dict[str, str], repeated: set[str], resources: tuple[str, ...]
    ) -> tuple[str, str] | None:
        """The first thing that is wrong, as error and description."""
        if repeated or not PRINTABLE.fullmatch(fields.get("state", "")):
            return "invalid_request", "A parameter came more than once, or holds what it can't."
        if "request" in fields or "request_uri" in fields:
            error = "request_not_supported" if "request" in fields else "request_uri_not_supported"
            return error, "Request objects are not offered."
        if fields.get("response_mode", "query") != "query":
            return "invalid_request", "The answer comes in the query only."
        if "response_type" not in fields:
            return "invalid_request", "response_type is missing."
        if fields["response_type"] != "code":
            return "unsupported_response_type", "Only response_type=code is offered."
        if not consumer.may_be_granted("authorization_code"):
            return "unauthorized_client", "This client may not sign users in."
        if fields.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(fields.get("code_challenge", "")):
            return "invalid_request", "PKCE is demanded: send code_challenge and code_challenge_method=S256."
        if not consumer.scopes >= frozenset(fields.get("scope", "").split()):
            return "invalid_scope", "A scope was asked for that this client does not hold."
        try:
            self._tokens.targets(resources)
        except InvalidTarget:
            return "invalid_target", "The resource is none of the tiers that this issuer serves."
        return None


def _fields(query: str) -> tuple[dict[str, str], set[str], tuple[str, ...]]:
    """The parameters, the names of those that came again, and the resources, which alone may."""
    if len(query) > LIMIT_CHARACTERS:
        raise Unusable("The request is too long.")
    try:
        pairs = parse_qsl(query, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Unusable("The request can't be read.") from error
    fields: dict[str, str] = {}
    repeated: set[str] = set()
    for name, value in pairs:
        if name in fields and name != "resource":
            repeated.add(name)
        fields[name] = value
    return fields, repeated, tuple(value for name, value in pairs if name == "resource")
