"""The gateway with two more paths: the measured handlers without any governance in front of them."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from gateway.app import create_app as create_gateway
from gateway.composition.application import Tiergate
from gateway.settings import Settings
from governance.contract import api_of

encoder = msgspec.json.Encoder()


def create_app(settings: Settings | None = None) -> Tiergate:
    """The gateway, with ``GET /ungoverned/{sku}`` and ``POST /ungoverned`` on Litestar's own router."""
    application = create_gateway(settings)
    service: Any = application.state.assembly.services["bench_stock.v1"]

    add_item = next(one for one in api_of(type(service)).operations if one.name == "add_item")
    decoder = msgspec.json.Decoder(add_item.body.type if add_item.body else None)

    @get("/ungoverned/{sku:str}", include_in_schema=False)
    async def ungoverned(sku: str) -> Response[bytes]:
        return Response(encoder.encode(await service.get_item(sku)), media_type="application/json")

    @post("/ungoverned", include_in_schema=False)
    async def ungoverned_post(request: Request[Any, Any, State]) -> Response[bytes]:
        item = decoder.decode(await request.body())
        return Response(encoder.encode(await service.add_item(item)), media_type="application/json")

    handlers: tuple[HTTPRouteHandler, ...] = (ungoverned, ungoverned_post)
    for handler in handlers:
        application.register(handler)
    return application
