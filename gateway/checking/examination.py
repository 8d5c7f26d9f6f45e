"""All checks, in the order in which a start would meet what they look at.

Settings that can't be read end the examination: nothing else can be known without them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from gateway.checking.build import examine_build
from gateway.checking.database import examine_database
from gateway.checking.finding import Finding
from gateway.checking.home import examine_home
from gateway.checking.neighbours import examine_issuer, examine_place
from gateway.checking.port import examine_port
from gateway.checking.store import examine_store
from gateway.settings import TIERS, Settings, SettingsError, load_settings


def examine(environ: Mapping[str, str], cwd: Path) -> tuple[Finding, ...]:
    """Everything that a start with this environment in this folder would meet; takes some seconds at most."""
    try:
        settings = load_settings(environ, cwd)
    except SettingsError as error:
        advice = "Correct it; `tiergate settings --all` shows what can be set."
        return tuple(
            Finding(what="configuration", result="failed", detail=sentence, advice=advice)
            for sentence in error.violations
        )
    read = settings.file_name if settings.config else "no tiergate.toml: defaults and environment"
    built = examine_build(settings)
    return (
        Finding(what="configuration", result="ok", detail=read),
        *built.findings,
        *examine_home(settings.home),
        examine_port(settings),
        *asyncio.run(_reached(settings)),
        *examine_database(settings, built.migrations),
    )


async def _reached(settings: Settings) -> list[Finding]:
    places = {tier: settings.remote_url(tier) for tier in TIERS}
    return await asyncio.gather(
        examine_store(settings),
        *[examine_issuer(one) for one in settings.issuers],
        *[examine_place(tier, url) for tier, url in places.items() if url],
    )
