"""What of a home goes into a backup, and in which order it is taken while the gateway runs.

The store comes first: its answers must not speak of orders that the database of flows does not have.
Then all databases, as of one moment (``moment``). Then everything else: keys and the audit journal,
which may have grown since.
"""

from __future__ import annotations

from pathlib import Path

from gateway.serving.home import RESTORING

STORE = "appendonlydir"
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
    if path.parts[0] == STORE:  # its manifest first: it names the files that belong together
        return 0, "" if path.suffix == ".manifest" else str(path)
    return (1 if is_database(path) else 2), str(path)
