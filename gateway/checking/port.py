"""The address to listen on: whether it is free and this user's to take."""

from __future__ import annotations

from gateway.checking.finding import Finding
from gateway.serving.listener import listen
from gateway.serving.refusal import StartRefused
from gateway.settings import Settings


def examine_port(settings: Settings) -> Finding:
    """Bind it for a moment."""
    host, port = settings.gateway.host, settings.gateway.port
    try:
        listen(host, port).close()
    except StartRefused as refused:
        detail, _, advice = str(refused).partition("; ")
        return Finding(what="port", result="failed", detail=detail, advice=advice[:1].upper() + advice[1:])
    return Finding(what="port", result="ok", detail=f"{port} on {host} is free" if port else "a free one is taken")
