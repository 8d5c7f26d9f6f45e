"""Health: alive, ready, and how the systems of record are.

``/healthz`` answers while the event loop turns. ``/readyz`` says whether traffic should come: the
parts have started, the process is not draining and the store answers; it does not depend on
systems of record, or one slow vendor would take every gateway out of its load balancer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from governance.store import Store


def health_routes(store: Store, systems: Mapping[str, str]) -> list[HTTPRouteHandler]:
    """The three health resources. ``systems``: API name to the connector behind it."""

    @get("/healthz", include_in_schema=False)
    async def alive() -> dict[str, str]:
        return {"status": "alive"}

    @get("/readyz", include_in_schema=False)
    async def ready(request: Request[Any, Any, State]) -> Response[dict[str, str]]:
        if getattr(request.app.state, "draining", False):
            return Response({"status": "draining"}, status_code=503)
        if not store.connected:
            return Response({"status": "store away"}, status_code=503)
        return Response({"status": "ready"})

    @get("/health/systems", include_in_schema=False)
    async def systems_health() -> dict[str, Any]:
        return {"systems": [{"system": name, "connector": vendor} for name, vendor in sorted(systems.items())]}

    return [alive, ready, systems_health]
