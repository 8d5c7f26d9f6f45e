"""Contracts, connectors, policies and consumers: whether a gateway can be put together from them.

The gateway is built as a start builds it, in a folder that is gone afterwards, and not started. So
nothing of the home is read or made here.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
from msgspec import Struct

from gateway.checking.finding import Finding
from gateway.settings import Settings, SettingsError
from governance.database import Migrations

CORRECT = "Correct what it names; nothing starts with it."


class Built(Struct, frozen=True, kw_only=True):
    """What came of it, and whose tables the gateway would keep."""

    findings: tuple[Finding, ...]
    migrations: tuple[Migrations, ...] = ()


def examine_build(settings: Settings) -> Built:
    """Put the gateway together."""
    from gateway.app import build  # the whole gateway, which settings that can't be read should not wait for

    with tempfile.TemporaryDirectory(prefix="tiergate-check-") as folder:
        try:
            application = build(msgspec.structs.replace(settings, home=Path(folder)))
        except SettingsError as error:
            return Built(findings=tuple(map(_wrong, error.violations)))
        except Exception as error:  # noqa: BLE001 - whatever a contract or connector raises keeps it from starting
            said = str(error).strip() or type(error).__name__
            return Built(findings=tuple(map(_wrong, said.splitlines())))
    nodes = application.state["nodes"]
    policies = application.state["policies"]
    operations = sum(len(node.api.operations) for node in nodes)
    detail = f"{len(nodes)} APIs with {operations} operations under {len(policies)} policies"
    return Built(
        findings=(Finding(what="contracts", result="ok", detail=detail),), migrations=application.state["migrations"]
    )


def _wrong(sentence: str) -> Finding:
    return Finding(what="contracts", result="failed", detail=sentence, advice=CORRECT)
