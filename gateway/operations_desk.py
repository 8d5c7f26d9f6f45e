"""The operations desk: metrics, the governance report, the hops of a request, and the page of what is in trouble.

Readable from loopback without a token, unless a proxy stands in between (a forwarding header says
so) or the request is for another host: a proxy that passes ``Host`` on, or a web page whose name was
made to point here (DNS rebinding). Else with a token that holds ``governance:read`` for the audience
``{public_url}/governance``; 503 while its issuer's keys can't be had.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from governance.contract.refusals import InsufficientScope, SystemUnavailable, Unauthenticated
from governance.identity import BadToken, KeysUnavailable, TokenVerifier
from governance.pages import PAGE_HEADERS
from governance.report import ApiRow
from governance.store import StoreError
from governance.telemetry import CallMetrics, HopLog

Report = Callable[[], Awaitable[Any]]
"""Makes one report, as rows that become JSON."""
Page = Callable[[], Awaitable[bytes]]
"""Writes one page, as HTML."""
HTML = "text/html; charset=utf-8"
READ = "governance:read"
LOOPBACK = ("127.0.0.1", "::1")
LOOPBACK_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]*)?", re.IGNORECASE)
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def desk_routes(
    rows: tuple[ApiRow, ...],
    metrics: CallMetrics,
    hops: HopLog,
    verifier: TokenVerifier,
    reports: Mapping[str, Report] = {},
    pages: Mapping[str, Page] = {},
) -> list[HTTPRouteHandler]:
    """The handlers, each behind the same door.

    A report is made anew for each ``GET /governance/<name>``, a page for each GET of its path.
    """
    chains = {row.id: row for api in rows for row in api.operations}

    @get("/metrics", include_in_schema=False)
    async def metrics_text(request: Request[Any, Any, State]) -> Response[bytes]:
        await _admit(request, verifier)
        return Response(metrics.text(), headers={"content-type": metrics.content_type})

    @get("/governance/apis", include_in_schema=False)
    async def apis(request: Request[Any, Any, State]) -> Response[dict[str, Any]]:
        await _admit(request, verifier)
        return Response({"apis": rows})

    @get("/governance/hops/{request_id:str}", include_in_schema=False)
    async def hops_of(request: Request[Any, Any, State], request_id: FromPath[str]) -> Response[dict[str, Any]]:
        await _admit(request, verifier)
        found = [
            {
                "tier": hop.tier,
                "operation": hop.operation,
                "binding": hop.binding,
                "caller": hop.caller,
                "outcome": hop.outcome,
                "duration_ms": round(hop.duration_ms, 3),
                "chain": chains[hop.operation].served_chain
                if hop.binding == "served"
                else chains[hop.operation].local_chain,
            }
            for hop in hops.of(request_id)
        ]
        return Response({"request_id": request_id, "hops": found})

    made = [_report(name, report, verifier) for name, report in reports.items()]
    written = [_page(path, write, verifier) for path, write in pages.items()]
    return [metrics_text, apis, hops_of, *made, *written]


def _report(name: str, report: Report, verifier: TokenVerifier) -> HTTPRouteHandler:
    @get(f"/governance/{name}", include_in_schema=False, name=f"governance {name}")
    async def made(request: Request[Any, Any, State]) -> Response[dict[str, Any]]:
        await _admit(request, verifier)
        try:
            return Response({name: await report()})
        except StoreError as error:
            raise SystemUnavailable(detail="The store that the report is made from does not answer.") from error

    return made


def _page(path: str, write: Page, verifier: TokenVerifier) -> HTTPRouteHandler:
    @get(path, include_in_schema=False, name=f"page {path}")
    async def shown(request: Request[Any, Any, State]) -> Response[bytes]:
        await _admit(request, verifier)
        headers = {name.decode(): value.decode() for name, value in PAGE_HEADERS}
        return Response(await write(), headers={**headers, "content-type": HTML, "cache-control": "no-store"})

    return shown


async def _admit(request: Request[Any, Any, State], verifier: TokenVerifier) -> None:
    if _from_here(request):
        return
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated(detail="Come from loopback, or with a token for the governance reports.")
    try:
        identity = await verifier.verify(token.encode(), "governance")
    except BadToken as error:
        raise Unauthenticated(detail=str(error)) from None
    except KeysUnavailable as error:
        raise SystemUnavailable(detail="The token can't be verified now: its issuer does not answer.") from error
    if READ not in identity.principal.scopes:
        raise InsufficientScope(scope=READ)


def _from_here(request: Request[Any, Any, State]) -> bool:
    peer = request.client.host if request.client else ""
    host = LOOPBACK_HOST.fullmatch(request.headers.get("host", ""))
    return peer in LOOPBACK and host is not None and not any(name in request.headers for name in FORWARDED)
