"""The rules of a company about its processes: ``[processes.<api>]``, read by the Struct that the process asks for.

A process API whose constructor takes a settings Struct of its own package gets it from here, under
its defaults where the table is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from msgspec import Struct

from gateway.settings import Settings, SettingsError, read_section
from governance.contract.graph import Node


def process_settings(nodes: Iterable[Node], settings: Settings) -> dict[Any, Any]:
    """The type of each process's settings and what tiergate.toml says of them.

    Raises:
        SettingsError: a table belongs to no process that has settings, or breaks their bounds.
    """
    asked = {node.api.name: kind for node in nodes if node.api.tier == "process" for kind in _asked(node)}
    unknown = sorted(set(settings.processes) - set(asked))
    if unknown:
        known = ", ".join(sorted(asked)) or "none"
        raise SettingsError(
            [
                f"{settings.file_name}: processes.{name} is no process with settings; these are: {known}."
                for name in unknown
            ]
        )
    return {
        kind: read_section(settings.processes.get(name, {}), kind, file=settings.file_name, path=f"processes.{name}")
        for name, kind in asked.items()
    }


def _asked(node: Node) -> Iterator[type[Struct]]:
    """The settings that a process's constructor takes."""
    for annotation in node.takes.values():
        for kind in get_args(annotation) or (annotation,):
            own = getattr(kind, "__module__", "") == f"process_apis.{node.api.name}.settings"
            if own and isinstance(kind, type) and issubclass(kind, Struct):
                yield kind
