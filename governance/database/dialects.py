"""Statements that the databases spell differently, put together once for each.

A statement that is built anew for every execution costs as much as its execution; one that stands in
its module is built at the start, and takes its values as parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")


def for_each_dialect(build: Callable[[Any], T]) -> Mapping[str, T]:
    """What ``build`` makes of each database's own ``insert`` (it has ``on_conflict_...``), by the dialect's name."""
    return MappingProxyType({"sqlite": build(sqlite.insert), "postgresql": build(postgresql.insert)})


def dialect_of(connection: sa.Connection) -> str:
    """The name under which this connection's statements stand."""
    return connection.dialect.name
