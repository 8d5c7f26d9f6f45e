"""Whole loads over the real ERP and CRM, through their contracts with the ownership policy."""

from __future__ import annotations

import csv
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace

from gateway.load import LoadReport, UnreadableFile, load
from gateway.load.loading import parents_first
from gateway.load.mapping import ACCOUNTS
from gateway.load.rows import read_table
from gateway.load.systems import LOADER
from governance.call import Call, ManualClock, enter
from governance.contract import operation_of
from system_apis.canonical.entities import InventoryPosition
from system_apis.canonical.refusals import UnknownProduct
from system_apis.canonical.values import Money, UnitPrice
from system_apis.crm.v1.contract import CrmV1
from system_apis.crm.v1.service import Crm
from system_apis.erp.v1.contract import ErpV1
from system_apis.erp.v1.service import Erp
from tests.process_apis.world import World

NORTHWIND = Path(__file__).parents[4] / "shared" / "data" / "northwind"
Result = TypeVar("Result")
Scene = Callable[[ErpV1, CrmV1], Awaitable[Result]]
PRODUCTS = "sku,name,category,unit,list_price,on_hand\nT-1,Tea,Drinks,box,12.5,3\nT-2,Coffee,Drinks,tin,40,0\n"
ACCOUNTS_CSV = (
    "account_id,name,street,city,country,parent_id,credit_limit\n"
    "TEA-SHOP,Tea Shop,Long Lane 1,Leeds,UK,TEA-HEAD,\n"
    "TEA-HEAD,Tea Heads,Long Lane 2,Leeds,GB,,1500.50\n"
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, "verify", (Erp, Crm))
    world.start()
    yield world
    world.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "csv"
    folder.mkdir()
    (folder / "products.csv").write_text(PRODUCTS)
    (folder / "accounts.csv").write_text(ACCOUNTS_CSV)
    return folder


def ask(world: World, scene: Scene[Result]) -> Result:
    """What a scene returns with both contracts in hand."""

    async def run() -> Result:
        enter(Call(principal=LOADER, operation_id="tests"))
        everything: list[Any] = [
            world.assembly.stub("tests", contract, [operation_of(getattr(contract, name)) for name in names])
            for contract, names in (
                (ErpV1, ("get_product", "put_product", "get_availability", "put_stock", "get_terms", "put_terms")),
                (CrmV1, ("get_account", "put_account")),
            )
        ]
        return await scene(*everything)

    return world.run(run())


def loaded(world: World, folder: Path, tmp_path: Path) -> LoadReport:
    """One load, with its clock standing still."""
    return ask(
        world,
        lambda erp, crm: load(folder, erp, crm, quarantine_folder=tmp_path / "quarantine", clock=ManualClock()),
    )


def counts(report: LoadReport) -> dict[str, tuple[int, int, int, int]]:
    return {row.name: (row.created, row.changed, row.unchanged, row.quarantined) for row in report.tables}


def test_products_stock_accounts_and_terms(world: World, folder: Path, tmp_path: Path) -> None:
    report = loaded(world, folder, tmp_path)
    assert counts(report) == dict.fromkeys(("products", "stock", "accounts", "terms"), (2, 0, 0, 0))
    assert (report.faults, report.quarantine_file) == ((), "")

    async def scene(erp: ErpV1, crm: CrmV1) -> None:
        tea = await erp.get_product("T-1")
        assert (tea.name, tea.list_price, tea.status) == ("Tea", UnitPrice(Money(1250, "USD")), "active")
        stock = await erp.get_availability("T-1")
        assert stock.positions == (InventoryPosition(sku="T-1", warehouse="NW1", on_hand=3, reserved=0, available=3),)
        shop = await crm.get_account("TEA-SHOP")
        assert (shop.parent_id, shop.billing_address.country, shop.owner) == ("TEA-HEAD", "GB", "Inside sales")
        assert shop.shipping_address == shop.billing_address
        terms = await erp.get_terms("TEA-HEAD")
        assert (terms.payment_terms, terms.currency, terms.tax_treatment) == ("net_30", "USD", "export")
        assert (terms.credit_limit, terms.tax_country) == (Money(150_050, "USD"), "GB")
        assert (await erp.get_terms("TEA-SHOP")).credit_limit is None

    ask(world, scene)


def test_a_second_load_changes_nothing_and_a_changed_cell_only_its_record(
    world: World, folder: Path, tmp_path: Path
) -> None:
    loaded(world, folder, tmp_path)
    again = loaded(world, folder, tmp_path)
    assert again.written == 0
    assert counts(again)["products"] == (0, 0, 2, 0)
    (folder / "products.csv").write_text(PRODUCTS.replace("12.5,3", "12.75,3"))
    assert counts(loaded(world, folder, tmp_path)) == {
        "products": (0, 1, 1, 0), "stock": (0, 0, 2, 0), "accounts": (0, 0, 2, 0), "terms": (0, 0, 2, 0),
    }  # fmt: skip


def test_what_people_changed_since_stays_where_no_column_says_otherwise(
    world: World, folder: Path, tmp_path: Path
) -> None:
    loaded(world, folder, tmp_path)

    async def change(erp: ErpV1, crm: CrmV1) -> None:
        await erp.put_terms("TEA-SHOP", replace(await erp.get_terms("TEA-SHOP"), on_hold=True, discount_bp=500))

    async def look(erp: ErpV1, crm: CrmV1) -> tuple[bool, int]:
        terms = await erp.get_terms("TEA-SHOP")
        return terms.on_hold, terms.discount_bp

    ask(world, change)
    assert loaded(world, folder, tmp_path).written == 0
    assert ask(world, look) == (True, 500)


def test_bad_rows_are_quarantined_and_good_ones_loaded(world: World, folder: Path, tmp_path: Path) -> None:
    (folder / "products.csv").write_text(
        PRODUCTS + "T-3,Mate,Drinks,box,1.005,1\nT-4,,Drinks,box,1,1\nT-5,Milk,Drinks,l,-1,1\n"
    )
    (folder / "inventory.csv").write_text("sku,warehouse,on_hand\nT-1,HAM,8\nT-9,HAM,8\n")
    report = loaded(world, folder, tmp_path)
    assert counts(report)["products"] == (2, 0, 0, 3)
    assert counts(report)["stock"] == (3, 0, 0, 1)
    told = [(fault.file, fault.line, fault.field) for fault in report.faults]
    assert told == [
        ("inventory.csv", 3, ""), ("products.csv", 4, "list_price"), ("products.csv", 5, "name"),
        ("products.csv", 6, "list_price"),
    ]  # fmt: skip
    assert report.faults[0].reason == "refused: There is no such product. (sku T-9)"
    with Path(report.quarantine_file).open(encoding="utf-8", newline="") as file:
        assert [(row["file"], int(row["line"])) for row in csv.DictReader(file)] == [
            (name, line) for name, line, _ in told
        ]


def test_accounts_in_a_circle_are_refused_and_get_no_terms(world: World, folder: Path, tmp_path: Path) -> None:
    (folder / "accounts.csv").write_text(
        "account_id,name,street,city,country,parent_id\nA-1,A,S,C,DE,A-2\nA-2,B,S,C,DE,A-1\nA-3,C,S,C,DE,\n"
    )
    report = loaded(world, folder, tmp_path)
    assert counts(report)["accounts"] == (1, 0, 0, 2)
    assert counts(report)["terms"] == (1, 0, 0, 0)


def test_parents_come_before_their_children(folder: Path) -> None:
    rows = list(read_table(folder / "accounts.csv", ACCOUNTS).checked)
    assert [row.given["account_id"] for row in parents_first(rows)] == ["TEA-HEAD", "TEA-SHOP"]


def test_progress_is_told_row_by_row(world: World, folder: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    ask(
        world,
        lambda erp, crm: load(
            folder, erp, crm, quarantine_folder=tmp_path, clock=ManualClock(), watch=lambda *step: told.append(step)
        ),
    )
    assert told[:3] == [("products", 1, 2), ("products", 2, 2), ("stock", 1, 2)]
    assert told[-1] == ("terms", 2, 2)


def test_a_folder_without_known_files_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"products\.csv, inventory\.csv, accounts\.csv, customers\.csv"):
        loaded(world, tmp_path, tmp_path)


def test_nothing_is_written_before_every_file_was_checked(world: World, folder: Path, tmp_path: Path) -> None:
    (folder / "accounts.csv").write_text("account_id,name\nA,B\n")
    with pytest.raises(UnreadableFile, match="street or address"):
        loaded(world, folder, tmp_path)

    async def scene(erp: ErpV1, crm: CrmV1) -> None:
        with pytest.raises(UnknownProduct):
            await erp.get_product("T-1")

    ask(world, scene)


@pytest.mark.skipif(not NORTHWIND.exists(), reason="the Northwind sample is not beside the repository")
def test_northwind_loads_with_exactly_its_two_empty_customers_in_quarantine(world: World, tmp_path: Path) -> None:
    report = loaded(world, NORTHWIND, tmp_path)
    assert counts(report) == {
        "products": (77, 0, 0, 0), "stock": (77, 0, 0, 0), "accounts": (91, 0, 0, 2), "terms": (91, 0, 0, 0),
    }  # fmt: skip
    assert {(fault.file, fault.row, fault.reason) for fault in report.faults} == {
        ("customers.csv", "Val2 ,IT,,,,,", "is empty"),
        ("customers.csv", "VALON,IT,,,,,", "is empty"),
    }
    assert [fault.field for fault in report.faults] == ["address", "city", "country"] * 2

    async def scene(erp: ErpV1, crm: CrmV1) -> None:
        wine = await erp.get_product("38")
        assert (wine.name, wine.list_price) == ("Côte de Blaye", UnitPrice(Money(26_350, "USD")))
        assert (await erp.get_product("9")).status == "discontinued"
        assert (await erp.get_availability("75")).available == 125
        assert (await crm.get_account("HILAA")).billing_address.country == "VE"

    ask(world, scene)
    assert loaded(world, NORTHWIND, tmp_path).written == 0
