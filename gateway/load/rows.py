"""Reading a CSV file row by row against its table: every row is either checked or faulty, none is lost.

RFC 4180, UTF-8 with or without a byte order mark, any line ends, a header line. Blanks around a
cell don't count. Bytes that are not UTF-8 make their row faulty, not the file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from msgspec import Struct

from gateway.load.converters import Plain, refuse_control_characters
from gateway.load.mapping import Column, Field, Lookup, Table


class UnreadableFile(Exception):
    """The file as a whole can't be used, such as for a missing column."""


class Fault(Struct, frozen=True, kw_only=True):
    """What is wrong in one place. ``field`` is the column as the file calls it."""

    file: str
    line: int
    field: str
    reason: str
    row: str


class CheckedRow(Struct, frozen=True, kw_only=True):
    """A row whose cells are all right: the given fields, without those that are empty or absent."""

    file: str
    line: int
    given: dict[str, Plain]
    row: str
    columns: dict[str, str]
    """Field to the column it came from, to name the culprit if a system refuses the row."""

    def fault(self, target: str, reason: str) -> Fault:
        """That ``target`` of this row is wrong after all."""
        return Fault(
            file=self.file, line=self.line, field=self.columns.get(target, target), reason=reason, row=self.row
        )


class TableFile(Struct, frozen=True, kw_only=True):
    """All rows of one file, and the columns that no field takes."""

    table: Table
    file: str
    checked: tuple[CheckedRow, ...]
    faults: tuple[Fault, ...]
    ignored: tuple[str, ...]
    row_count: int


class _RawRow(Struct, frozen=True):
    line: int
    cells: list[str]


def read_table(path: Path, table: Table) -> TableFile:
    """Every row of the file, checked against its table.

    Raises:
        UnreadableFile: no header, a repeated or a missing column.
        OSError: the file can't be read.
    """
    header, rows = _raw_rows(path)
    chosen = {field.target: _choose(field, header) for field in table.fields}
    lacking = [field for field in table.fields if field.required and chosen[field.target] is None]
    if lacking:
        wanted = "; ".join(" or ".join(column.name for column in field.columns) for field in lacking)
        raise UnreadableFile(f"{path.name} lacks a column: {wanted}.")
    lookups = _lookups(path.parent, [column for column in chosen.values() if column is not None])
    seen: dict[tuple[Plain, ...], int] = {}
    checked: list[CheckedRow] = []
    faults: list[Fault] = []
    for raw in rows:
        row, wrong = _check(path.name, raw, header, table, chosen, lookups)
        faults += wrong
        if wrong:
            continue
        key = tuple(row.given.get(name) for name in table.key)
        if key in seen:
            faults.append(row.fault(table.key[0], f"is the same as on line {seen[key]}"))
        else:
            seen[key] = row.line
            checked.append(row)
    taken = {column.name for column in chosen.values() if column is not None}
    ignored = tuple(name for name in header if name not in taken)
    return TableFile(
        table=table, file=path.name, checked=tuple(checked), faults=tuple(faults), ignored=ignored, row_count=len(rows)
    )


def _raw_rows(path: Path) -> tuple[list[str], list[_RawRow]]:
    text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    numbered = list(_numbered(text))
    if not numbered:
        raise UnreadableFile(f"{path.name} is empty: the first line must name the columns.")
    header = [name.strip() for name in numbered[0].cells]
    if repeated := {name for name in header if header.count(name) > 1}:
        raise UnreadableFile(f"{path.name} names a column twice: {', '.join(sorted(repeated))}.")
    return header, numbered[1:]


def _numbered(text: str) -> Iterator[_RawRow]:
    reader = csv.reader(StringIO(text, newline=""))
    line = 1
    for cells in reader:
        if cells:  # a blank line is no row
            yield _RawRow(line, cells)
        line = reader.line_num + 1


def _choose(field: Field, header: list[str]) -> Column | None:
    return next((column for column in field.columns if column.name in header), None)


def _lookups(folder: Path, columns: list[Column]) -> dict[Lookup, dict[str, str]]:
    return {column.lookup: _lookup(folder, column.lookup) for column in columns if column.lookup is not None}


def _lookup(folder: Path, lookup: Lookup) -> dict[str, str]:
    path = folder / lookup.file
    if not path.exists():
        raise UnreadableFile(f"{lookup.file} is not there, and {lookup.key} points into it.")
    header, rows = _raw_rows(path)
    if lookup.key not in header or lookup.value not in header:
        raise UnreadableFile(f"{lookup.file} lacks a column: {lookup.key} and {lookup.value} are needed.")
    key, value = header.index(lookup.key), header.index(lookup.value)
    return {row.cells[key].strip(): row.cells[value].strip() for row in rows if len(row.cells) == len(header)}


def _check(
    file: str,
    raw: _RawRow,
    header: list[str],
    table: Table,
    chosen: dict[str, Column | None],
    lookups: dict[Lookup, dict[str, str]],
) -> tuple[CheckedRow, list[Fault]]:
    source = _as_line(raw.cells)
    given: dict[str, Plain] = {}
    columns = {target: column.name for target, column in chosen.items() if column is not None}
    row = CheckedRow(file=file, line=raw.line, given=given, row=source, columns=columns)
    if len(raw.cells) != len(header):
        return row, [row.fault("", f"has {len(raw.cells)} cells where the header has {len(header)}")]
    cells = dict(zip(header, (cell.strip() for cell in raw.cells), strict=True))
    faults: list[Fault] = []
    for field in table.fields:
        column = chosen[field.target]
        if column is None:
            continue
        try:
            value = _value(cells[column.name], column, field.required, lookups)
            if value is not None:
                given[field.target] = value
                _imply(given, column)
        except ValueError as error:
            faults.append(row.fault(field.target, str(error)))
    return row, faults


def _imply(given: dict[str, Plain], column: Column) -> None:
    for target, value in column.implies:
        if given.setdefault(target, value) != value:
            raise ValueError(f"means {target} {value}, but the row says {given[target]}")


def _value(text: str, column: Column, required: bool, lookups: dict[Lookup, dict[str, str]]) -> Plain:
    if not text:
        if required:
            raise ValueError("is empty")
        return None
    refuse_control_characters(text)
    if column.lookup is None:
        return column.convert(text)
    found = lookups[column.lookup].get(text)
    if not found:
        raise ValueError(f"{text!r} is not in {column.lookup.file}")
    return column.convert(column.lookup.prefix + found)


def _as_line(cells: list[str]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue().encode("utf-8", errors="surrogateescape").decode("utf-8", errors="backslashreplace")
