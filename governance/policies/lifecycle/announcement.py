"""What the answers of a deprecated operation announce, made once at start-up.

Standards: RFC 9745 §2 (``Deprecation`` is a structured date, ``@`` and Unix seconds, and may lie ahead), §3 (link
relation ``deprecation``); RFC 8594 §3 (``Sunset`` is an HTTP date), §6 (link relation ``sunset``); RFC 5829 §3.4
(``successor-version``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from governance.contract.lifecycle import Lifecycle
from governance.contract.operation import Api, Operation

Pairs = tuple[tuple[bytes, bytes], ...]

DEPRECATION: Mapping[str, Any] = {
    "description": "From when on the operation is deprecated: `@` and Unix seconds (RFC 9745).",
    "schema": {"type": "string", "pattern": "^@[0-9]+$"},
}
SUNSET: Mapping[str, Any] = {
    "description": "From when on the operation is gone: an HTTP date (RFC 8594).",
    "schema": {"type": "string"},
}
LINK: Mapping[str, Any] = {
    "description": "The notice, and what takes the operation's place (RFC 8288).",
    "schema": {"type": "string"},
}


def announcement(operation: Operation, apis: Mapping[str, Api]) -> Pairs:
    """The header fields of every answer of the operation; none where it is neither deprecated nor retired."""
    life = operation.lifecycle
    if life.stage not in ("deprecated", "retired"):
        return ()
    fields: list[tuple[bytes, bytes]] = []
    if life.since is not None:
        fields.append((b"deprecation", b"@%d" % life.deprecated_at.timestamp()))
    if life.sunset is not None:
        fields.append((b"sunset", http_date(life.sunset_at).encode()))
    return (*fields, (b"link", links(operation, life, apis)))


def links(operation: Operation, life: Lifecycle, apis: Mapping[str, Api]) -> bytes:
    """The value of ``Link``."""
    page = notice_page(operation)
    found = [f'<{page}>; rel="deprecation"; type="text/html"', f'<{page}>; rel="sunset"; type="text/html"']
    if life.successor:
        found.append(f'<{successor_path(operation, life.successor, apis)}>; rel="successor-version"')
    return ", ".join(found).encode()


def notice_page(operation: Operation) -> str:
    """The page of the operation's API in the documentation."""
    return "/docs" + "/".join(operation.path.split("/")[:4])


def successor_path(operation: Operation, successor: str, apis: Mapping[str, Api]) -> str:
    """The path of what takes its place: the named operation, that of the same name in the named API, or the API."""
    api = apis.get(successor)
    wanted = f"{successor}.{operation.name}" if api else successor
    for one in apis.values():
        for candidate in one.operations:
            if candidate.id == wanted:
                return candidate.path
    return api.prefix if api else "/docs"


def http_date(instant: datetime) -> str:
    """RFC 9110 §5.6.7."""
    return format_datetime(instant, usegmt=True)
