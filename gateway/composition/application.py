"""The application: Litestar for pages and documents, the edge in front of it for operations.

Operations never pass Litestar's router: the edge owns every path under a tier, so nothing that is
mounted can shadow one or reach it without its policies.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from secrets import token_hex
from typing import Any

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, MethodNotAllowedException
from litestar.types import ControllerRouterHandler

from governance.bindings.edge import Edge
from governance.bindings.rendering import problem_answer
from governance.bindings.routes import scope_raw_path
from governance.contract.problems import Problem
from governance.contract.refusals import (
    BodyTooLarge,
    InternalError,
    InvalidParameters,
    MalformedRequest,
    MethodNotAllowed,
    UnknownPath,
)
from governance.wire.peer import TrustedProxies

logger = logging.getLogger("tiergate.pages")

MOST_BODY_BYTES = 65_536
"""No page takes more; the token endpoint, which takes the most, stays well below."""
STATUS_PROBLEMS: dict[int, Callable[[], Problem]] = {
    400: InvalidParameters,
    404: UnknownPath,
    405: MethodNotAllowed,
    413: lambda: BodyTooLarge(limit_bytes=MOST_BODY_BYTES),
}


class Tiergate(Litestar):
    """A gateway process as an ASGI application."""

    def __init__(
        self,
        edge: Edge,
        handlers: Sequence[ControllerRouterHandler],
        proxies: TrustedProxies | None = None,
        **rest: Any,
    ) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - Litestar's own signature has unknown parts
            route_handlers=handlers,
            openapi_config=None,
            logging_config=None,  # the worker configures logging
            request_max_body_size=MOST_BODY_BYTES,
            exception_handlers={HTTPException: page_problem, Problem: page_problem, Exception: page_problem},
            **rest,
        )
        self._edge = edge
        self._proxies = proxies

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand operations to the edge, everything else to Litestar, which knows HEAD only where it is spelled out."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        if self._proxies is not None:
            scope = self._proxies.seen_from(scope)
        if self._edge.owns(scope_raw_path(scope)):
            await self._edge(scope, receive, send)
        elif scope["method"] == "HEAD":
            as_get: Any = {**scope, "method": "GET"}
            await super().__call__(as_get, receive, _without_body(send))
        else:
            await super().__call__(scope, receive, send)


def _without_body(send: Any) -> Any:
    """Sends the headers of GET and nothing more (RFC 9110 §9.3.2)."""

    async def headers_only(message: Any) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return headers_only


def page_problem(request: Request[Any, Any, State], error: Exception) -> Response[bytes]:
    """What a page or document answers instead of an error: the same problems as operations."""
    if isinstance(error, Problem):
        problem = error
    elif isinstance(error, HTTPException):
        problem = STATUS_PROBLEMS.get(
            error.status_code, MalformedRequest if error.status_code < 500 else InternalError
        )()
    else:
        logger.error("A page failed", exc_info=error)
        problem = InternalError()
    request_id = token_hex(16)
    instance = scope_raw_path(request.scope).decode("latin-1")
    answer = problem_answer(problem, instance=instance, request_id=request_id)
    headers = {"Request-Id": request_id, "X-Content-Type-Options": "nosniff"}
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="tiergate"'
    if problem.status == 503:
        headers["Retry-After"] = "1"
    if isinstance(error, MethodNotAllowedException):
        headers["Allow"] = _allowed((error.headers or {}).get("allow", ""))
    return Response(answer.body, status_code=answer.status, media_type="application/problem+json", headers=headers)


def _allowed(methods: str) -> str:
    known = {method.strip() for method in methods.split(",") if method.strip()}
    return ", ".join(sorted(known | ({"HEAD"} if "GET" in known else set())))
