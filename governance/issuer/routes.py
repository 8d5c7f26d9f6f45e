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
from governance.issuer.metadata import GRANT_PATH, KEYS_PATH, RESOURCE_PATH, SERVER_PATH, ProtectedResources
from governance.issuer.token_request import LIMIT_BYTES, TokenRequest

PUBLIC = {"cache-control": "public, max-age=300"}


def routes(issuer: EmbeddedIssuer) -> list[HTTPRouteHandler]:
    """Token endpoint, keys and metadata of the embedded issuer, and the tiers' resource metadata."""

    @post(GRANT_PATH, status_code=200, include_in_schema=False)
    async def token(request: Request[Any, Any, State]) -> Response[bytes]:
        return _response(await issuer.token(await _token_request(request)))

    @get(KEYS_PATH, include_in_schema=False)
    async def keys() -> Response[dict[str, Any]]:
        return Response(issuer.jwks(), headers=PUBLIC)

    @get(SERVER_PATH, include_in_schema=False)
    async def server() -> Response[dict[str, Any]]:
        return Response(issuer.metadata(), headers=PUBLIC)

    return [token, keys, server, *resource_routes(issuer.resources)]


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
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LIMIT_BYTES:
            break  # what is read already is too much: the endpoint refuses it
    headers = tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in request.scope["headers"]
    )
    peer = request.client.host if request.client else ""
    return TokenRequest(headers=headers, body=bytes(body), query=request.url.query, peer=peer)


def _response(answer: Answer) -> Response[bytes]:
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    return Response(answer.body, status_code=answer.status, headers=headers, media_type="application/json")
