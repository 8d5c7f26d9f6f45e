"""The schemas of all kinds of events: made from the Structs, committed, served, and never changed.

``openapi/events/{type}/v{n}.json`` is there for everyone who reads events. What a kind promises is
fixed with its first commit: words of description may be mended, everything else is a new version.

Standard: JSON Schema draft 2020-12.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import msgspec
from litestar.handlers import ASGIRouteHandler

from governance.contract import ContractError
from governance.openapi import Stale, encoded
from governance.openapi.publication import Form, Publication
from governance.openapi.schemas import markdown
from process_apis.events import taxonomy
from process_apis.events.kind import KINDS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = "events"
JSON = "application/schema+json"
REVALIDATED = b"public, max-age=60"


def schema_path(word: str, version: int) -> str:
    """Where a kind's schema stands below its folder, such as ``order.accepted/v1.json``."""
    return f"{word}/v{version}.json"


def documents() -> dict[str, bytes]:
    """Path to schema of every kind."""
    taxonomy.load()
    return {
        schema_path(word, version): encoded({"$schema": DIALECT, "title": word, **_told(msgspec.json.schema(struct))})
        for (word, version), struct in sorted(KINDS.items())
    }


def routes() -> list[ASGIRouteHandler]:
    """The handlers of ``/openapi/events/…``, answered from memory."""
    forms = {
        f"/openapi/{FOLDER}/{path}": (Form(media_type=JSON, body=body, cache_control=REVALIDATED),)
        for path, body in documents().items()
    }
    published = Publication(forms)
    return [ASGIRouteHandler(list(published.paths), copy_scope=False)(published)]


def export(directory: Path, *, check: bool = False) -> tuple[Stale, ...]:
    """Write the schemas that are not below ``directory`` yet, or are described in better words now; which they were.

    With ``check`` nothing is written: what would be is reported.

    Raises:
        ContractError: a kind whose schema is there promises something else now, or is gone.
        OSError: a file can't be read or written.
    """
    folder = directory / FOLDER
    wanted = {folder / path: body for path, body in documents().items()}
    stale: list[Stale] = []
    broken = [
        f"{path}: is published, and its kind is gone: put it back."
        for path in folder.rglob("*.json")
        if path not in wanted
    ]
    for path, body in wanted.items():
        if not path.is_file():
            stale.append(Stale(path, "is missing"))
        elif _promise(path.read_bytes()) != _promise(body):
            broken.append(f"{path}: is published and can't change: make the next version of its kind.")
        elif path.read_bytes() != body:
            stale.append(Stale(path, "describes its kind in other words"))
    if broken:
        raise ContractError("\n".join(sorted(broken)))
    for one in () if check else stale:
        one.path.parent.mkdir(parents=True, exist_ok=True)
        one.path.write_bytes(wanted[one.path])
    return tuple(stale)


def _promise(document: bytes) -> Any:
    """A schema without the words that describe it."""
    return _without(msgspec.json.decode(document))


def _without(node: Any, *, named: bool = False) -> Any:
    if isinstance(node, dict):
        members = cast("dict[str, Any]", node)
        return {
            name: _without(value, named=name in ("properties", "$defs") and not named)
            for name, value in members.items()
            if named or name not in ("description", "examples")
        }
    return [_without(one) for one in cast("list[Any]", node)] if isinstance(node, list) else node


def _told(node: Any) -> Any:
    """The schema with its docstrings as CommonMark."""
    if isinstance(node, dict):
        members = cast("dict[str, Any]", node)
        return {
            name: markdown(value) if name == "description" and isinstance(value, str) else _told(value)
            for name, value in members.items()
        }
    return [_told(one) for one in cast("list[Any]", node)] if isinstance(node, list) else node
