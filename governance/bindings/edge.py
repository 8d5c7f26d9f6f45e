"""The edge: from an ASGI request to an operation and back.

Stands in front of the framework's router, for every path under a tier. Owns what a router owns:
404, 405 with ``Allow``, HEAD, OPTIONS and CORS preflight, percent decoding, the Host check
(RFC 9110 §7.2: exactly one, and not empty), the bound on the request target and load shedding. What fails outside
every chain is ``internal-error`` too: no request under a tier is answered with anything but a problem.

Standards: RFC 9110; the Fetch standard's CORS protocol.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from secrets import token_hex
from typing import Any

from governance.bindings.execution import unexpected
from governance.bindings.rendering import problem_answer
from governance.bindings.routes import Place, Routes, path_texts, scope_raw_path
from governance.bindings.served import WireLimits
from governance.bindings.shedding import Shedding, SheddingLimits
from governance.bindings.standing_headers import standing_headers
from governance.call.clock import Clock, SystemClock
from governance.call.exchange import Answer, Exchange, Receive, Request, Send, Streamed
from governance.call.foreground import Foreground
from governance.contract.problems import Problem
from governance.contract.refusals import (
    InternalError,
    MalformedRequest,
    MethodNotAllowed,
    Overloaded,
    UnknownPath,
    UriTooLong,
)

Scope = Any
Pairs = tuple[tuple[bytes, bytes], ...]
Preflight = Callable[[bytes], Pairs]
"""From an origin to the headers that answer its preflight; none where no consumer has it."""
RETRY_SOON: Pairs = ((b"retry-after", b"1"),)
READABLE = frozenset((b"access-control-allow-origin", b"vary"))
"""What lets a page read a refusal that was made before any policy ran."""


class Edge:
    """Serves every operation of a gateway."""

    def __init__(
        self,
        routes: Routes,
        limits: WireLimits,
        preflight: Preflight | None = None,
        clock: Clock | None = None,
        shedding: SheddingLimits | None = None,
        foreground: Foreground | None = None,
    ) -> None:
        self._routes = routes
        self._limits = limits
        self._preflight = preflight
        self._request_ids = request_ids()
        self._monotonic = (clock or SystemClock()).monotonic
        self._standing = standing_headers(https=limits.https, readable=False)
        self.shedding = Shedding(shedding or SheddingLimits(), self._monotonic)
        """To be started and stopped with the gateway's parts; without, only the number under way counts."""
        self._foreground = foreground or Foreground()

    def owns(self, raw_path: bytes) -> bool:
        """Whether a path lies under a tier, so that it is answered here and nowhere else."""
        return raw_path[1:].partition(b"/")[0] in self._routes.roots

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request under a tier."""
        method: str = scope["method"]
        raw_path = scope_raw_path(scope)
        path = raw_path.decode("latin-1")
        request_id = self._request_ids()
        shedding = self.shedding
        shedding.in_flight += 1
        self._foreground.begin()
        try:
            answer = await self._answer(scope, receive, method, raw_path, path, request_id)
        except Problem as problem:
            answer = self._refused(problem, scope, path, request_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is logged and answered as a problem
            unexpected.error("%s %s: %s [request %s]", method, path, type(error).__name__, request_id, exc_info=error)
            answer = self._refused(InternalError(), scope, path, request_id)
        finally:
            shedding.in_flight -= 1
            self._foreground.end()
        if isinstance(answer, Streamed):
            await _go_on(receive, send, answer, head=method == "HEAD")
        else:
            await respond(send, answer, head=method == "HEAD")

    async def _answer(
        self, scope: Scope, receive: Receive, method: str, raw_path: bytes, path: str, request_id: str
    ) -> Answer:
        now_s = self._monotonic()
        if self.shedding.overloaded(now_s):
            self.shedding.shed += 1
            raise Overloaded(detail="Nothing was done. Ask again in a moment.")
        if len(raw_path) + len(scope["query_string"]) > self._limits.max_uri_bytes:
            raise UriTooLong(detail=f"Path and query may have {self._limits.max_uri_bytes} bytes together.")
        headers = scope["headers"]
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1 or not hosts[0].strip():
            raise MalformedRequest(detail="A request has exactly one Host header.")
        found = self._routes.find(raw_path)
        if found is None:
            raise UnknownPath(detail="See /docs for the paths that exist.")
        place, raw_arguments = found
        entry = place.methods.get("GET" if method == "HEAD" else method)
        if entry is None:
            return self._without_operation(place, scope, path, request_id)
        operation, handler = entry
        client = scope.get("client")
        request = Request(
            method=method,
            path=path,
            query=scope["query_string"],
            raw_headers=headers,
            peer=client[0] if client else "",
            receive=receive,
            path_arguments=path_texts(raw_arguments) if raw_arguments else (),
        )
        exchange = Exchange(operation, "served", request, now_s)
        exchange.evidence["request_id"] = request_id
        answer: Answer = await handler(exchange)
        return answer

    def _without_operation(self, place: Place, scope: Scope, path: str, request_id: str) -> Answer:
        allow = (b"allow", place.allow)
        if scope["method"] != "OPTIONS":
            problem = MethodNotAllowed(detail=f"Allowed here: {place.allow.decode()}.")
            refused = self._refused(problem, scope, path, request_id)
            return Answer(refused.status, (*refused.headers, allow), refused.body)
        cors: Pairs = ()
        if any(name == b"access-control-request-method" for name, _ in scope["headers"]):
            cors = self._browser(scope)
            if cors:
                cors += ((b"access-control-allow-methods", place.allow),)
        return Answer(204, ((b"request-id", request_id.encode()), *self._standing, allow, *cors))

    def _refused(self, problem: Problem, scope: Scope, path: str, request_id: str) -> Answer:
        answer = problem_answer(problem, instance=path, request_id=request_id)
        readable = [pair for pair in self._browser(scope) if pair[0] in READABLE]
        again = RETRY_SOON if problem.status == 503 else ()
        own = ((b"request-id", request_id.encode()), *self._standing, *again, *readable)
        return Answer(answer.status, answer.headers + own, answer.body)

    def _browser(self, scope: Scope) -> Pairs:
        """What a preflight from the request's origin is answered with; nothing where it has none."""
        origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
        return self._preflight(origin) if origin is not None and self._preflight is not None else ()


def request_ids() -> Callable[[], str]:
    """A source of request ids: random for each process, counted within it, so that each is unique."""
    process = token_hex(8)
    number = itertools.count(1)
    return lambda: f"{process}{next(number):016x}"


async def _go_on(receive: Receive, send: Send, answer: Streamed, *, head: bool) -> None:
    """Send the headers, and what follows for as long as it goes on."""
    try:
        await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
        if head:
            await send({"type": "http.response.body", "body": b""})
    except BaseException:
        await answer.feed.close()
        raise
    await (answer.feed.close() if head else answer.feed.send_to(receive, send))


async def respond(send: Send, answer: Answer, *, head: bool = False) -> None:
    """Send an answer. A HEAD answer has the headers of GET and no body (RFC 9110 §9.3.2)."""
    body = answer.body
    headers = list(answer.headers)
    if answer.status not in (204, 304):
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})
