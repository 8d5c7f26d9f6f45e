"""The gateway with one more path: the measured handler without any governance in front of it."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from gateway.app import create_app as create_gateway
from gateway.composition.application import Tiergate

encoder = msgspec.json.Encoder()


def create_app() -> Tiergate:
    """The gateway, with ``GET /ungoverned/{sku}`` on Litestar's own router."""
    application = create_gateway()
    service: Any = application.state.assembly.services["bench_stock.v1"]

    @get("/ungoverned/{sku:str}", include_in_schema=False)
    async def ungoverned(sku: str) -> Response[bytes]:
        return Response(encoder.encode(await service.get_item(sku)), media_type="application/json")

    handler: HTTPRouteHandler = ungoverned
    application.register(handler)
    return application
