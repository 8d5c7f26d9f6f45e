"""The table of docs/mutants.md: every fault, in how many operations it was planted, and which controls saw it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

DOCUMENT = Path(__file__).parents[2] / "docs" / "mutants.md"
MOST_CONTROLS = 6
HEAD = """# Planted faults

`make mutants` breaks the gateway on purpose, one fault at a time, and lets the controls of `tiergate prove` look at it.
A fault that no control sees is a gap in the proof and fails the run. This table is its output: the faults, in how
many operations each was planted, and by which controls it was caught.

| enforcement | fault | planted | caught by |
|---|---|--:|---|
"""


class Row(Struct, frozen=True, kw_only=True):
    """One fault."""

    group: str
    name: str
    planted: int
    controls: tuple[str, ...]
    survived: tuple[str, ...]
    """The operations in which nothing saw it."""


def rows(found: Iterable[tuple[str, str, str, frozenset[str]]]) -> list[Row]:
    """From group, fault, operation and the controls that saw it, to one row a fault, in the order in which they came."""
    planted: dict[tuple[str, str], list[tuple[str, frozenset[str]]]] = {}
    for group, name, operation, controls in found:
        planted.setdefault((group, name), []).append((operation, controls))
    return [
        Row(
            group=group,
            name=name,
            planted=len(seen),
            controls=tuple(sorted(frozenset().union(*(controls for _, controls in seen)))),
            survived=tuple(operation for operation, controls in seen if not controls),
        )
        for (group, name), seen in sorted(planted.items(), key=lambda one: one[0][0])
    ]


def written(found: Iterable[Row]) -> str:
    """The document."""
    found = list(found)
    lines = [f"| {row.group} | {row.name} | {row.planted} | {_seen(row)} |" for row in found]
    planted, survived = sum(row.planted for row in found), sum(len(row.survived) for row in found)
    caught = f"{planted - survived:,} of {planted:,} planted faults ({len(found)} kinds) were caught."
    return HEAD + "\n".join(lines) + f"\n\n{caught}\n"


def _seen(row: Row) -> str:
    shown = ", ".join(row.controls[:MOST_CONTROLS])
    more = f" and {len(row.controls) - MOST_CONTROLS} more" if len(row.controls) > MOST_CONTROLS else ""
    survived = f"; **survived** in {', '.join(row.survived)}" if row.survived else ""
    return f"{shown}{more}{survived}"
