"""Conditions of a search on SQLite, each with one ``?`` and its value."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

Match = tuple[str, str | int | None]
"""A condition and its value; None: not asked for."""


def among(column: str, values: tuple[str, ...] | None) -> Match:
    """The condition that ``column`` is one of ``values``; None for any value.

    One value is compared directly, so that an index on the column gives the rows in their order.
    """
    if values is None:
        return f"{column} = ?", None
    if len(values) == 1:
        return f"{column} = ?", values[0]
    return f"{column} IN (SELECT value FROM json_each(?))", msgspec.json.encode(values).decode()


def where(matches: Iterable[Match]) -> tuple[str, tuple[str | int, ...]]:
    """Every condition that was asked for, as what follows ``WHERE``, and the values."""
    asked = [(condition, value) for condition, value in matches if value is not None]
    return " AND ".join(condition for condition, _ in asked) or "TRUE", tuple(value for _, value in asked)
