"""Settings that change while the gateway runs: asked for by SIGHUP, or noticed in the file.

Guarantees: settings that can't be used are refused whole and those in force stay; clients, users,
roles, plans and secrets are swapped in place, in every worker, from one call to the next; a change in
any other section replaces the workers one after another, each new one ready before the old one
drains. What belongs to the supervisor itself (address, number of workers, store, database, log)
takes a restart: it is named, and everything else is taken over without it.

A file is read once it has stood still for one look, so that one half written is not taken.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any, Protocol

import msgspec

from gateway.serving.fleet import Fleet
from gateway.settings import Settings, SettingsError
from gateway.settings.sections import Sections
from gateway.settings.source import SettingsSource

LOOK_EVERY_S = 0.5
IN_PLACE = frozenset({"consumers", "roles", "plans", "users"})
RESTART = ("gateway.host", "gateway.port", "gateway.workers", "store.url", "database.url", "telemetry.log")
"""Settings of the supervisor, and those that workers side by side must not differ in."""

logger = logging.getLogger("gateway.reload")


class Reloads(Protocol):
    """Whom a reload is told."""

    def reloaded(self, what: str) -> None:
        """New settings hold."""
        ...

    def reload_refused(self, sentences: tuple[str, ...]) -> None:
        """The settings in force stay."""
        ...


class Reload:
    """Keeps a fleet on the settings that its source gives."""

    def __init__(self, source: SettingsSource, fleet: Fleet, tell: Reloads) -> None:
        self._source = source
        self._fleet = fleet
        self._tell = tell
        self._asked = asyncio.Event()
        self._last = b""  # so that what changed since the start is found by the first look

    def ask(self) -> None:
        """Read the settings now, whether or not they seem to have changed."""
        self._asked.set()

    async def run(self) -> None:
        """Reload whenever it is asked for or due; until cancelled."""
        while True:
            asked = await self._due()
            self._asked.clear()
            self._last = self._source.fingerprint()
            try:
                done = await self._reload(self._source.read())
            except SettingsError as error:
                self._tell.reload_refused(error.violations)
            except Exception:  # such as no memory for one more process: the next reload may go well
                logger.exception("The reload broke off.")
                self._tell.reload_refused(("The reload broke off; the log says why.",))
            else:
                if done or asked:
                    self._tell.reloaded(done or "nothing has changed")

    async def _due(self) -> bool:
        """Wait; whether it was asked for."""
        seen = self._last
        while not self._asked.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._asked.wait()
                break
            if self._fleet.settings.gateway.reload_on_change:
                now = self._source.fingerprint()
                if now == seen != self._last:
                    return False
                seen = now
        return True

    async def _reload(self, written: Settings) -> str:
        """Take ``written`` over; what that meant, in words, or nothing where it says what holds already."""
        held = self._fleet.settings
        wanted, waiting = startable(held, written)
        changed = changed_sections(held, wanted)
        said: list[str] = []
        if changed and changed <= IN_PLACE:
            await self._fleet.apply(wanted)
            said.append(f"{' and '.join(sorted(changed))} hold as they are written now")
        elif changed:
            await self._fleet.replace(wanted)
            said.append("new workers serve with the settings as they are written now")
        if waiting:
            said.append(f"{', '.join(waiting)} must wait for a restart")
        return "; ".join(said)


def startable(held: Settings, written: Settings) -> tuple[Settings, tuple[str, ...]]:
    """``written`` with what takes a restart as it is ``held``, and the keys that wait for one."""
    waiting: list[str] = []
    for path in RESTART:
        section, key = path.split(".")
        before = getattr(getattr(held, section), key)
        if getattr(getattr(written, section), key) != before:
            waiting.append(path)
            kept = msgspec.structs.replace(getattr(written, section), **{key: before})
            written = msgspec.structs.replace(written, **{section: kept})
    return written, tuple(waiting)


def changed_sections(held: Settings, wanted: Settings) -> frozenset[str]:
    """The sections of tiergate.toml that differ, in what they say or in a secret that they name."""
    found = {name for name in Sections.__struct_fields__ if getattr(held, name) != getattr(wanted, name)}
    if _named(held) != _named(wanted):
        found.add("consumers")
    return frozenset(found)


def _named(settings: Settings) -> dict[str, Any]:
    """Secrets that consumers name; those of other sections stand in the sections themselves."""
    texts = {text for table in settings.consumers.values() for text in table.get("secrets", ())}
    return {reference: secret for reference, secret in settings.secrets.items() if reference in texts}
