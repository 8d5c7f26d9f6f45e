"""What of a home goes into a backup, and in which order it is taken while the gateway runs.

Each file is whole by itself; together they are not of one moment. So the order is the one in which
being older does no harm: first the store, whose answers must not speak of orders that the database
of flows does not have; then that database; then the systems of record, which may be ahead of it,
because a flow that does a step again finds what it made there by its reference; last everything else.
"""

from __future__ import annotations

from pathlib import Path

from gateway.serving.home import RESTORING

STORE = "appendonlydir"
DATABASE = "tiergate.sqlite"
SYSTEMS = "systems"
REPLACED = ".replaced-"
REMADE = frozenset({"log", "valkey.pid", "valkey.log", "valkey.sock"})
"""What a start makes again."""
REMADE_SUFFIXES = (".lock", "-wal", "-shm", ".sock", ".tmp", ".partial")


def contents(home: Path) -> list[Path]:
    """The files to keep, relative to ``home``, in the order in which they are to be taken."""
    files = [path.relative_to(home) for path in home.rglob("*") if path.is_file() and not path.is_symlink()]
    return sorted((path for path in files if not _is_remade(path)), key=_place)


def is_database(path: Path) -> bool:
    """Whether a file is an SQLite database, which is copied by SQLite itself."""
    return path.suffix == ".sqlite"


def _is_remade(path: Path) -> bool:
    top = path.parts[0]
    return top in REMADE or top == RESTORING or top.startswith(REPLACED) or path.name.endswith(REMADE_SUFFIXES)


def _place(path: Path) -> tuple[int, str]:
    top = path.parts[0]
    order = (STORE, DATABASE, SYSTEMS)
    # the store's manifest first: it names the files that belong together
    return (order.index(top) if top in order else len(order), "" if path.suffix == ".manifest" else str(path))
