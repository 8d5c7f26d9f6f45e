"""The edge: from an ASGI request to an operation and back.

Stands in front of the framework's router, for every path under a tier. Owns what a router owns:
404, 405 with ``Allow``, HEAD, OPTIONS and CORS preflight, percent decoding, the Host check
(RFC 9110 §7.2: exactly one) and the bound on the request target.

Standards: RFC 9110; the Fetch standard's CORS protocol.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from secrets import token_hex
from typing import Any

from governance.bindings.rendering import problem_answer
from governance.bindings.routes import Place, Routes, path_texts, scope_raw_path
from governance.bindings.served import EVERY_ANSWER, ClientGone, WireLimits
from governance.call.exchange import Answer, Exchange, Request
from governance.contract.problems import Problem
from governance.contract.refusals import MalformedRequest, MethodNotAllowed, UnknownPath, UriTooLong

Scope = Any
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Preflight = Callable[[bytes], tuple[tuple[bytes, bytes], ...]]


class Edge:
    """Serves every operation of a gateway."""

    def __init__(self, routes: Routes, limits: WireLimits, preflight: Preflight | None = None) -> None:
        self._routes = routes
        self._limits = limits
        self._preflight = preflight

    def owns(self, raw_path: bytes) -> bool:
        """Whether a path lies under a tier, so that it is answered here and nowhere else."""
        return raw_path[1:].partition(b"/")[0] in self._routes.roots

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request under a tier."""
        method: str = scope["method"]
        raw_path = scope_raw_path(scope)
        request_id = token_hex(16)
        try:
            try:
                answer = await self._answer(scope, receive, method, raw_path, request_id)
            except Problem as problem:
                answer = self._refused(problem, scope["path"], request_id)
            await respond(send, answer, head=method == "HEAD")
        except ClientGone:
            return

    async def _answer(self, scope: Scope, receive: Receive, method: str, raw_path: bytes, request_id: str) -> Answer:
        if len(raw_path) + len(scope["query_string"]) > self._limits.max_uri_bytes:
            raise UriTooLong(detail=f"Path and query may have {self._limits.max_uri_bytes} bytes together.")
        headers = scope["headers"]
        if sum(name == b"host" for name, _ in headers) != 1:
            raise MalformedRequest(detail="A request has exactly one Host header.")
        found = self._routes.find(raw_path)
        if found is None:
            raise UnknownPath(detail="See /docs for the paths that exist.")
        place, raw_arguments = found
        entry = place.methods.get("GET" if method == "HEAD" else method)
        if entry is None:
            return self._without_operation(place, method, headers, scope["path"], request_id)
        operation, handler = entry
        client = scope.get("client")
        request = Request(
            method=method,
            path=scope["path"],
            query=scope["query_string"],
            raw_headers=headers,
            peer=client[0] if client else "",
            receive=receive,
            path_arguments=path_texts(raw_arguments) if raw_arguments else (),
        )
        exchange = Exchange(operation, "served", request, time.monotonic())
        exchange.evidence["request_id"] = request_id
        answer: Answer = await handler(exchange)
        return answer

    def _without_operation(self, place: Place, method: str, headers: Any, path: str, request_id: str) -> Answer:
        allow = (b"allow", place.allow)
        if method != "OPTIONS":
            refused = self._refused(MethodNotAllowed(detail=f"Allowed here: {place.allow.decode()}."), path, request_id)
            return Answer(refused.status, (*refused.headers, allow), refused.body)
        origin = next((value for name, value in headers if name == b"origin"), None)
        asked = any(name == b"access-control-request-method" for name, _ in headers)
        cors: tuple[tuple[bytes, bytes], ...] = ()
        if origin is not None and asked and self._preflight is not None:
            cors = self._preflight(origin)
            if cors:
                cors += ((b"access-control-allow-methods", place.allow),)
        return Answer(204, ((b"request-id", request_id.encode()), *EVERY_ANSWER, allow, *cors))

    def _refused(self, problem: Problem, path: str, request_id: str) -> Answer:
        answer = problem_answer(problem, instance=path, request_id=request_id)
        return Answer(answer.status, (*answer.headers, (b"request-id", request_id.encode()), *EVERY_ANSWER), answer.body)


async def respond(send: Send, answer: Answer, *, head: bool = False) -> None:
    """Send an answer. A HEAD answer has the headers of GET and no body (RFC 9110 §9.3.2)."""
    body = answer.body
    headers = list(answer.headers)
    if answer.status not in (204, 304):
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})
