"""The authorization endpoint: a user signs in, sees what a client asks for, and grants it or not.

Guarantees: no address is followed before the user signed in or said no; no password is judged that
was not posted from our own form in this browser; failed attempts are limited by peer and by name.
There is no session: every grant takes the password. The answer is a 303, so that no browser posts
the password on (RFC 9700 §4.12). While the database is away nothing is granted (503).

Standards: RFC 6749 §4.1, RFC 7636, RFC 9207, RFC 9700 §2.1, §4.7, §4.11, §4.12, §4.16.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from governance.call import Answer
from governance.database import DatabaseAway
from governance.identity import PeerFailures
from governance.issuer.authorization import LIMIT_CHARACTERS, Asked, Refused, Requests, Unusable
from governance.issuer.form_seal import FormSeal
from governance.issuer.grants import Approved, Grants
from governance.issuer.sign_in_page import failed_page, sign_in_page
from governance.issuer.users import Users
from governance.pages import PAGE_HEADERS

WRONG = "Name or password is wrong. Please try again."
STALE = "The form was open too long, or your browser sends no cookies. Please try again."
WAIT = "There were too many attempts. Please wait {} seconds and try again."
LONGEST_PASSWORD = 256
FORM_BYTES = 4 * LIMIT_CHARACTERS


class PageRequest(Struct, frozen=True, kw_only=True):
    """What came over HTTP."""

    query: str = ""
    body: bytes = b""
    cookie: str = ""
    content_type: str = ""
    peer: str = ""


class SignIn:
    """``GET`` and ``POST /oauth/authorize``; ``path`` is where the form is posted to."""

    def __init__(
        self,
        path: str,
        requests: Requests,
        users: Users,
        grants: Grants,
        seal: FormSeal,
        by_peer: PeerFailures,
        by_name: PeerFailures,
    ) -> None:
        self._path = path
        self._requests = requests
        self._users = users
        self._grants = grants
        self._seal = seal
        self._by_peer = by_peer
        self._by_name = by_name

    async def show(self, request: PageRequest) -> Answer:
        """The form, or why there is none."""
        return self._judged(request.query, lambda asked: self._form(asked, request, request.query))

    async def decide(self, request: PageRequest) -> Answer:
        """The user's decision: back to the client with a code or a refusal, or the form again."""
        fields = _posted(request)
        query = fields.get("request", "")
        try:
            asked = self._requests.read(query)
        except (Unusable, Refused):
            return self._judged(query, lambda asked: self._form(asked, request, query))
        if not self._seal.holds(fields.get("seal", ""), query, self._seal.browser(request.cookie)):
            return self._form(asked, request, query, wrong=STALE, status=403)
        if fields.get("decision") != "allow":
            return self._sent(asked, {"error": "access_denied", "error_description": "The user said no."})
        return await self._signed_in(asked, request, query, fields)

    async def _signed_in(self, asked: Asked, request: PageRequest, query: str, fields: dict[str, str]) -> Answer:
        username, password = fields.get("username", "").strip(), fields.get("password", "")
        wait_s = max(self._by_peer.wait_s(request.peer), self._by_name.wait_s(username))
        if wait_s:
            answer = self._form(asked, request, query, username=username, wrong=WAIT.format(wait_s), status=429)
            return Answer(429, (*answer.headers, (b"retry-after", str(wait_s).encode())), answer.body)
        # counted before it is judged, so that attempts at once are no way around the limit
        self._by_peer.record(request.peer)
        self._by_name.record(username)
        user = await asyncio.to_thread(self._users.sign_in, username, password[:LONGEST_PASSWORD])
        if user is None:
            return self._form(asked, request, query, username=username, wrong=WRONG, status=403)
        self._by_name.forget(username)
        approved = Approved(
            client_id=asked.consumer.client_id,
            username=user.username,
            scope=" ".join(sorted(asked.scopes & user.scopes)),
            resources=asked.resources,
            redirect_uri=asked.redirect_uri,
            code_challenge=asked.challenge,
        )
        try:
            code = await asyncio.to_thread(self._grants.approve, approved)
        except DatabaseAway:
            page = failed_page("Signing in is not possible at this moment. Please try again in a while.")
            return Answer(503, (*_headers(), (b"retry-after", b"5")), page)
        return self._sent(asked, {"code": code})

    def _judged(self, query: str, form: Callable[[Asked], Answer]) -> Answer:
        try:
            return form(self._requests.read(query))
        except Unusable as error:
            return Answer(400, _headers(), failed_page(str(error)))
        except Refused as error:
            page = failed_page(
                f"{error.consumer.name} asked for something it can't have. {error}", error.consumer, error.location
            )
            return Answer(400, _headers(), page)

    def _form(
        self, asked: Asked, request: PageRequest, query: str, *, username: str = "", wrong: str = "", status: int = 200
    ) -> Answer:
        browser = self._seal.browser(request.cookie) or self._seal.new_browser()
        page = sign_in_page(
            asked.consumer,
            asked.scopes,
            asked.redirect_uri,
            action=self._path,
            request=query,
            seal=self._seal.seal(query, browser),
            username=username,
            wrong=wrong,
        )
        cookie = (b"set-cookie", self._seal.cookie(browser).encode())
        return Answer(status, (*_headers(asked.redirect_uri), cookie), page)

    def _sent(self, asked: Asked, members: dict[str, str]) -> Answer:
        location = self._requests.location(asked.redirect_uri, asked.state, members)
        return Answer(303, (*_headers(asked.redirect_uri), (b"location", location.encode())), b"")


def _headers(redirect_uri: str = "") -> tuple[tuple[bytes, bytes], ...]:
    """Never cached or framed; a form may be posted here and, by the answer's redirect, end at the client only."""
    (name, policy), *others = PAGE_HEADERS
    parts = urlsplit(redirect_uri)
    nameable = parts.netloc and "[" not in parts.netloc  # a policy can't name an IPv6 address
    end = f" {parts.scheme}://{parts.netloc}" if nameable else f" {parts.scheme}:" if parts.scheme else ""
    return (
        (b"content-type", b"text/html"),
        (name, policy + f"; form-action 'self'{end}".encode()),
        *others,
        (b"x-frame-options", b"DENY"),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    )


def _posted(request: PageRequest) -> dict[str, str]:
    """The form's fields; none where it is no form of ours."""
    if not request.content_type.lower().startswith("application/x-www-form-urlencoded"):
        return {}
    if len(request.body) > FORM_BYTES:
        return {}
    try:
        return dict(parse_qsl(request.body.decode("ascii"), errors="strict", max_num_fields=16))
    except ValueError:
        return {}
