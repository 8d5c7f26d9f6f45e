"""Companions: what lives as long as the flow runtime of a process."""

from __future__ import annotations

from typing import Protocol


class Companion(Protocol):
    """What a process API does beside its flows for as long as the process lives: it looks, delivers, escalates."""

    async def start(self) -> None:
        """Begin; the database is open and migrated."""
        ...

    async def stop(self) -> None:
        """End; the database is still open."""
        ...
