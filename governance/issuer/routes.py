"""The issuer's addresses as Litestar handlers, mounted beside the operations."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from governance.call import Answer
from governance.issuer.issuer import EmbeddedIssuer
from governance.issuer.metadata import (
    GRANT_PATH,
    INTROSPECT_PATH,
    KEYS_PATH,
    RESOURCE_PATH,
    REVOKE_PATH,
    SERVER_PATH,
    SIGN_IN_PATH,
    ProtectedResources,
)
from governance.issuer.sign_in import FORM_BYTES, PageRequest, SignIn
from governance.issuer.token_request import LIMIT_BYTES, TokenRequest

PUBLIC = {"cache-control": "public, max-age=300"}


def routes(issuer: EmbeddedIssuer, resources: ProtectedResources | None = None) -> list[HTTPRouteHandler]:
    """Every endpoint, the keys and the metadata of the embedded issuer, and the tiers' resource metadata.

    ``resources`` tells of other issuers that are trusted beside it.
    """

    @post(GRANT_PATH, status_code=200, include_in_schema=False)
    async def token(request: Request[Any, Any, State]) -> Response[bytes]:
        return _response(await issuer.token(await _token_request(request)))

    @post(INTROSPECT_PATH, status_code=200, include_in_schema=False)
    async def introspect(request: Request[Any, Any, State]) -> Response[bytes]:
        return _response(await issuer.introspect(await _token_request(request)))

    @post(REVOKE_PATH, status_code=200, include_in_schema=False)
    async def revoke(request: Request[Any, Any, State]) -> Response[bytes]:
        return _response(await issuer.revoke(await _token_request(request)))

    @get(KEYS_PATH, include_in_schema=False)
    async def keys() -> Response[dict[str, Any]]:
        return Response(issuer.jwks(), headers=PUBLIC)

    @get(SERVER_PATH, include_in_schema=False)
    async def server() -> Response[dict[str, Any]]:
        return Response(issuer.metadata(), headers=PUBLIC)

    found = [token, introspect, revoke, keys, server, *_sign_in_routes(issuer.sign_in)]
    return [*found, *resource_routes(resources or issuer.resources)]


def _sign_in_routes(sign_in: SignIn) -> list[HTTPRouteHandler]:
    @get(SIGN_IN_PATH, include_in_schema=False)
    async def show(request: Request[Any, Any, State]) -> Response[bytes]:
        return _response(await sign_in.show(await _page_request(request)))

    @post(SIGN_IN_PATH, status_code=200, include_in_schema=False)
    async def decide(request: Request[Any, Any, State]) -> Response[bytes]:
        return _response(await sign_in.decide(await _page_request(request)))

    return [show, decide]


def resource_routes(resources: ProtectedResources) -> list[HTTPRouteHandler]:
    """The RFC 9728 metadata of each tier; served also where another issuer is trusted."""

    @get(RESOURCE_PATH + "/{tier:str}", include_in_schema=False)
    async def resource(tier: FromPath[str]) -> Response[dict[str, Any]]:
        document = resources.metadata(tier)
        if document is None:
            raise NotFoundException
        return Response(document, headers=PUBLIC)

    return [resource]


async def _token_request(request: Request[Any, Any, State]) -> TokenRequest:
    headers = tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in request.scope["headers"]
    )
    body = await _body(request, LIMIT_BYTES)
    return TokenRequest(headers=headers, body=body, query=request.url.query, peer=_peer(request))


async def _page_request(request: Request[Any, Any, State]) -> PageRequest:
    return PageRequest(
        query=request.scope["query_string"].decode("latin-1"),
        body=await _body(request, FORM_BYTES),
        cookie=request.headers.get("cookie", ""),
        content_type=request.headers.get("content-type", ""),
        peer=_peer(request),
    )


async def _body(request: Request[Any, Any, State], limit_bytes: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit_bytes:
            break  # what is read already is too much: the endpoint refuses it
    return bytes(body)


def _peer(request: Request[Any, Any, State]) -> str:
    return request.client.host if request.client else ""


def _response(answer: Answer) -> Response[bytes]:
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    kind = headers.pop("content-type", "application/json")
    return Response(answer.body, status_code=answer.status, headers=headers, media_type=kind)
