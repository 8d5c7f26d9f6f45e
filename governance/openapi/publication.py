"""What is served beside the operations: bytes with entity tags, in one or two forms, made once when first asked for.

Answers GET and HEAD, 304 to a matching ``If-None-Match`` (RFC 9110 §13.1.2) and 405 with ``Allow``
to everything else. Where a path has two forms, ``Accept`` chooses (RFC 9110 §12.5.1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from secrets import token_hex

from msgspec import Struct

from governance.bindings.edge import Receive, Scope, Send, respond
from governance.bindings.rendering import problem_answer
from governance.call.exchange import Answer
from governance.contract.refusals import MethodNotAllowed
from governance.pages import PAGE_HEADERS
from governance.wire.negotiation import liking

HTML = "text/html; charset=utf-8"
FOR_AN_HOUR = b"public, max-age=3600"
ALLOW = b"GET, HEAD"


class Form(Struct, frozen=True, kw_only=True):
    """One representation of a path."""

    media_type: str
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    cache_control: bytes = FOR_AN_HOUR
    status: int = 200


def html_form(body: bytes) -> Form:
    """A page, with the headers that shut out everything from elsewhere."""
    return Form(media_type=HTML, body=body, headers=PAGE_HEADERS)


def redirect(to: str) -> Form:
    """A temporary redirect (RFC 9110 §15.4.8)."""
    return Form(media_type="text/plain; charset=utf-8", body=b"", headers=((b"location", to.encode()),), status=307)


Forms = tuple[Form, ...]
"""The forms of a path; the first is what a client without a wish gets."""


class Publication:
    """Everything that is published, as one ASGI application."""

    def __init__(self, forms: Mapping[str, Forms | Callable[[], Forms]]) -> None:
        """``forms`` holds the forms of each path, or what makes them when it is first asked for."""
        self._forms = forms
        self._answers: dict[str, tuple[tuple[Form, Answer], ...]] = {}

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that is answered."""
        return tuple(self._forms)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request for a path of ``paths``."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request_id = token_hex(16)
        method: str = scope["method"]
        if method not in ("GET", "HEAD"):
            refused = problem_answer(MethodNotAllowed(), instance=scope["path"], request_id=request_id)
            answer = Answer(refused.status, (*refused.headers, (b"allow", ALLOW)), refused.body)
        else:
            answer = self._chosen(scope["path"].rstrip("/") or "/", headers)
        common = ((b"request-id", request_id.encode()), (b"x-content-type-options", b"nosniff"))
        await respond(send, Answer(answer.status, answer.headers + common, answer.body), head=method == "HEAD")

    def _chosen(self, path: str, headers: Mapping[bytes, bytes]) -> Answer:
        forms = self._answers.get(path) or self._made(path)
        answer = forms[0][1]
        if len(forms) > 1:
            accept = headers.get(b"accept", b"*/*")
            answer = max(forms, key=lambda form: liking(accept, form[0].media_type))[1]
        tag = next((value for name, value in answer.headers if name == b"etag"), None)
        given = {part.strip().removeprefix(b"W/") for part in headers.get(b"if-none-match", b"").split(b",")}
        if tag is not None and (tag in given or b"*" in given):
            kept = tuple(pair for pair in answer.headers if pair[0] in (b"etag", b"cache-control", b"vary"))
            return Answer(304, kept)
        return answer

    def _made(self, path: str) -> tuple[tuple[Form, Answer], ...]:
        found = self._forms[path]
        some = found() if callable(found) else found
        self._answers[path] = made = tuple((form, _answer(form, len(some) > 1)) for form in some)
        return made


def _answer(form: Form, negotiated: bool) -> Answer:
    headers: tuple[tuple[bytes, bytes], ...] = (
        (b"content-type", form.media_type.encode()),
        (b"cache-control", form.cache_control),
        *form.headers,
    )
    if form.status == 200:
        headers += ((b"etag", b'"%s"' % blake2b(form.body, digest_size=12).hexdigest().encode()),)
    if negotiated:
        headers += ((b"vary", b"accept"),)
    return Answer(form.status, headers, form.body)
