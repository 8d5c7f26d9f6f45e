"""The load itself: check everything, then ask the systems for each record, through their contracts.

Guarantees: nothing is written before every row of every file was checked; a bad row keeps no good
one out; a record is written only when it differs from what is there, so a load can be repeated, or
taken up again after it was cut off. A system that refuses a row puts it in quarantine with the
reason; a system that fails ends the load with its problem, and what was written stays.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from gateway.load import records
from gateway.load.mapping import TABLES
from gateway.load.quarantine import quarantine
from gateway.load.records import WrongField
from gateway.load.report import LoadReport, Outcome, Tally
from gateway.load.rows import CheckedRow, Fault, TableFile, UnreadableFile, read_table
from governance.call import Clock
from governance.contract import NotFound, Refusal
from system_apis.canonical.refusals import UnknownAccount, UnknownProduct
from system_apis.crm.v1.contract import CrmV1
from system_apis.erp.v1.contract import ErpV1
from system_apis.erp.v1.model import StockLevel

WAREHOUSE = "NW1"
"""Where stock goes that names no warehouse."""

Watch = Callable[[str, int, int], None]
"""Told of progress: the kind of record, rows done, rows in all."""

Existing = TypeVar("Existing")
Put = Callable[[CheckedRow], Awaitable[Outcome]]


async def load(
    directory: Path,
    erp: ErpV1,
    crm: CrmV1,
    *,
    quarantine_folder: Path,
    clock: Clock,
    warehouse: str = WAREHOUSE,
    watch: Watch = lambda _kind, _done, _total: None,
) -> LoadReport:
    """Load the master data in ``directory``: products and stock into the ERP, accounts into CRM and ERP.

    Raises:
        UnreadableFile: no file that is known, or one that lacks a column.
        OSError: a file can't be read, or the quarantine can't be written.
    """
    files = read_all(directory)
    loading = _Loading(erp, crm, warehouse, watch)
    for file in files:
        loading.tallies[_PLURAL[file.table.kind]].count("quarantined", len({fault.line for fault in file.faults}))
        loading.faults += file.faults
    products, stock, accounts = (_rows(files, kind) for kind in ("product", "stock", "account"))
    await loading.run("products", products, loading.put_product)
    counted = [*(row for row in products if "on_hand" in row.given and loading.is_good(row)), *stock]
    await loading.run("stock", counted, loading.put_stock)
    await loading.run("accounts", parents_first(accounts), loading.put_account)
    await loading.run("terms", [row for row in accounts if loading.is_good(row)], loading.put_terms)
    faults = tuple(sorted(loading.faults, key=lambda fault: (fault.file, fault.line)))
    return LoadReport(
        tables=tuple(tally.report() for tally in loading.tallies.values()),
        faults=faults,
        ignored=tuple(f"{file.file}: {name}" for file in files for name in file.ignored),
        quarantine_file=str(quarantine(quarantine_folder, clock.now(), faults)) if faults else "",
    )


def read_all(directory: Path) -> tuple[TableFile, ...]:
    """Every known file of the folder, checked row by row, and each row as the whole record it makes.

    Raises:
        UnreadableFile: there is none, or one lacks a column.
    """
    known = [(directory / name, table) for table in TABLES for name in table.files]
    present = [(path, table) for path, table in known if path.is_file()]
    if not present:
        raise UnreadableFile(f"{directory} holds none of {', '.join(path.name for path, _ in known)}.")
    return tuple(_as_records(read_table(path, table)) for path, table in present)


def parents_first(rows: list[CheckedRow]) -> list[CheckedRow]:
    """The rows so that an account comes after its parent; those in a circle come last, for CRM to refuse."""
    waiting = {row.given["account_id"]: row for row in rows}
    ordered: list[CheckedRow] = []
    while ready := [row for row in waiting.values() if row.given.get("parent_id") not in waiting]:
        ordered += ready
        for row in ready:
            del waiting[row.given["account_id"]]
    return [*ordered, *waiting.values()]


_PLURAL = {"product": "products", "stock": "stock", "account": "accounts"}
_BUILD: dict[str, tuple[Callable[[CheckedRow, None], object], ...]] = {
    "product": (records.product,),
    "stock": (),
    "account": (records.account, records.terms),
}


def _as_records(file: TableFile) -> TableFile:
    good: list[CheckedRow] = []
    faults: list[Fault] = []
    for row in file.checked:
        try:
            for build in _BUILD[file.table.kind]:
                build(row, None)
        except WrongField as wrong:
            faults.append(row.fault(wrong.target, str(wrong)))
        else:
            good.append(row)
    return TableFile(
        table=file.table,
        file=file.file,
        checked=tuple(good),
        faults=(*file.faults, *faults),
        ignored=file.ignored,
        row_count=file.row_count,
    )


def _rows(files: tuple[TableFile, ...], kind: str) -> list[CheckedRow]:
    return [row for file in files if file.table.kind == kind for row in file.checked]


class _Loading:
    """One load under way."""

    def __init__(self, erp: ErpV1, crm: CrmV1, warehouse: str, watch: Watch) -> None:
        self._erp = erp
        self._crm = crm
        self._warehouse = warehouse
        self._watch = watch
        self.tallies = {name: Tally(name) for name in ("products", "stock", "accounts", "terms")}
        self.faults: list[Fault] = []
        self._refused: set[tuple[str, int]] = set()

    def is_good(self, row: CheckedRow) -> bool:
        """Whether no system has refused the row so far."""
        return (row.file, row.line) not in self._refused

    async def run(self, name: str, rows: list[CheckedRow], put: Put) -> None:
        """Ask for every row's record; a refusal puts the row in quarantine."""
        for done, row in enumerate(rows, 1):
            try:
                self.tallies[name].count(await put(row))
            except Refusal as refusal:
                self.tallies[name].count("quarantined")
                self._refused.add((row.file, row.line))
                self.faults.append(row.fault("", f"refused: {_sentence(refusal)}"))
            self._watch(name, done, len(rows))

    async def put_product(self, row: CheckedRow) -> Outcome:
        """Make the product what the row says."""
        sku = str(row.given["sku"])
        existing = await _there(self._erp.get_product(sku))
        wanted = records.product(row, existing)
        if wanted == existing:
            return "unchanged"
        await self._erp.put_product(sku, wanted)
        return "changed" if existing else "created"

    async def put_stock(self, row: CheckedRow) -> Outcome:
        """Make the stock in the row's warehouse what the row counted."""
        sku, warehouse = str(row.given["sku"]), str(row.given.get("warehouse") or self._warehouse)
        stock = StockLevel(on_hand=int(str(row.given["on_hand"])))
        there = {position.warehouse: position for position in (await self._erp.get_availability(sku)).positions}
        if warehouse in there and there[warehouse].on_hand == stock.on_hand:
            return "unchanged"
        await self._erp.put_stock(warehouse, sku, stock)
        return "changed" if warehouse in there else "created"

    async def put_account(self, row: CheckedRow) -> Outcome:
        """Make the CRM account what the row says."""
        account_id = str(row.given["account_id"])
        existing = await _there(self._crm.get_account(account_id))
        wanted = records.account(row, existing)
        if existing and all(getattr(existing, name) == getattr(wanted, name) for name in wanted.__struct_fields__):
            return "unchanged"
        await self._crm.put_account(account_id, wanted)
        return "changed" if existing else "created"

    async def put_terms(self, row: CheckedRow) -> Outcome:
        """Make the ERP terms what the row says."""
        account_id = str(row.given["account_id"])
        existing = await _there(self._erp.get_terms(account_id))
        wanted = records.terms(row, existing)
        if wanted == existing:
            return "unchanged"
        await self._erp.put_terms(account_id, wanted)
        return "changed" if existing else "created"


async def _there(asked: Awaitable[Existing]) -> Existing | None:
    try:
        return await asked
    except (NotFound, UnknownProduct, UnknownAccount):
        return None


def _sentence(refusal: Refusal) -> str:
    members = ", ".join(f"{name} {value}" for name, value in refusal.members().items())
    return (refusal.detail or refusal.title) + (f" ({members})" if members else "")
