"""What a load did: counts by kind of record, and every fault."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from gateway.load.rows import Fault

Outcome = Literal["created", "changed", "unchanged"]


class TableReport(Struct, frozen=True, kw_only=True):
    """One kind of record. ``rows`` are rows that ask for such a record; every one is in one of the four counts."""

    name: str
    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0


class LoadReport(Struct, frozen=True, kw_only=True):
    """The whole load. A quarantined row can have several faults."""

    tables: tuple[TableReport, ...]
    faults: tuple[Fault, ...] = ()
    ignored: tuple[str, ...] = ()
    """Columns that no field takes, as ``file: column``."""
    quarantine_file: str = ""
    """Empty where nothing was wrong."""

    @property
    def quarantined(self) -> int:
        """How many rows were not loaded."""
        return sum(table.quarantined for table in self.tables)

    @property
    def written(self) -> int:
        """How many records were made or changed; 0 when the same files are loaded again."""
        return sum(table.created + table.changed for table in self.tables)


class Tally:
    """Counts while a load runs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._counts = {"created": 0, "changed": 0, "unchanged": 0, "quarantined": 0}

    def count(self, outcome: Outcome | Literal["quarantined"], rows: int = 1) -> None:
        """One row, or several, ended so."""
        self._counts[outcome] += rows

    def report(self) -> TableReport:
        """The counts so far."""
        return TableReport(name=self.name, rows=sum(self._counts.values()), **self._counts)
