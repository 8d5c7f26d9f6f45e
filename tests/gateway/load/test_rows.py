"""A file is read to its last row: each row is checked or faulty, with its line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from gateway.load.mapping import ACCOUNTS, PRODUCTS, TABLES
from gateway.load.rows import UnreadableFile, read_table

HEADER = "sku,name,category,unit,list_price\n"
GOOD = "BRG-1,Bearing,Bearings,piece,4.75\n"


def products(folder: Path, text: str | bytes) -> Path:
    path = folder / "products.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_row_of_this_project(tmp_path: Path) -> None:
    file = read_table(products(tmp_path, HEADER + GOOD), PRODUCTS)
    (row,) = file.checked
    assert row.given == {
        "sku": "BRG-1", "name": "Bearing", "category": "Bearings", "unit": "piece", "list_price": Decimal("4.75"),
    }  # fmt: skip
    assert (row.line, file.row_count, file.faults, file.ignored) == (2, 1, (), ())


def test_columns_of_northwind_and_the_files_they_point_into(tmp_path: Path) -> None:
    (tmp_path / "categories.csv").write_text("category_id,category_name\n1,Beverages\n")
    (tmp_path / "suppliers.csv").write_text('supplier_id,company_name\n7,"Pavlova, Ltd."\n')
    header = "product_id,product_name,supplier_id,category_id,quantity_per_unit,unit_price_usd,units_in_stock,reorder_level,discontinued\n"
    path = products(
        tmp_path, header + "70,Outback Lager,7,1,24 - 355 ml bottles,15,15,30,0\n9,Mishi,7,3,18 pkgs.,97,29,0,1\n"
    )
    file = read_table(path, PRODUCTS)
    (row,) = file.checked
    assert row.given == {
        "sku": "70", "name": "Outback Lager", "category": "Beverages", "unit": "24 - 355 ml bottles",
        "currency": "USD", "list_price": Decimal(15), "description": "Supplied by Pavlova, Ltd.", "status": "active",
        "on_hand": 15,
    }  # fmt: skip
    assert file.ignored == ("reorder_level",)
    (fault,) = file.faults
    assert (fault.line, fault.field, fault.reason) == (3, "category_id", "'3' is not in categories.csv")


def test_every_fault_of_a_row_is_told_with_its_column(tmp_path: Path) -> None:
    file = read_table(products(tmp_path, HEADER + "b d,,Bearings,piece,4.7x\n" + GOOD), PRODUCTS)
    assert [(fault.line, fault.field) for fault in file.faults] == [(2, "sku"), (2, "name"), (2, "list_price")]
    assert file.faults[1].reason == "is empty"
    assert [row.line for row in file.checked] == [3]


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    text = HEADER + '"BRG-1","Bearing","Two\nlines",piece,1\n' + "\n" + "x y,Bearing,Bearings,piece,1\n" + GOOD
    file = read_table(products(tmp_path, text), PRODUCTS)
    assert [(fault.line, fault.field) for fault in file.faults] == [(2, "category"), (5, "sku")]
    assert [row.line for row in file.checked] == [6]


def test_a_row_with_too_few_or_too_many_cells_is_faulty(tmp_path: Path) -> None:
    file = read_table(products(tmp_path, HEADER + "BRG-1,Bearing\n" + GOOD.rstrip() + ",more\n"), PRODUCTS)
    assert [fault.reason for fault in file.faults] == [
        "has 2 cells where the header has 5", "has 6 cells where the header has 5",
    ]  # fmt: skip


def test_a_second_row_of_the_same_key_is_faulty(tmp_path: Path) -> None:
    file = read_table(products(tmp_path, HEADER + GOOD + GOOD), PRODUCTS)
    assert [(fault.line, fault.field, fault.reason) for fault in file.faults] == [
        (3, "sku", "is the same as on line 2")
    ]


def test_bytes_that_are_not_utf8_spoil_their_row_only(tmp_path: Path) -> None:
    bad = HEADER.encode() + b"BRG-2,Caf\xe9,Bearings,piece,1\n" + GOOD.encode()
    file = read_table(products(tmp_path, bad), PRODUCTS)
    assert [(fault.line, fault.field) for fault in file.faults] == [(2, "name")]
    assert file.faults[0].row == "BRG-2,Caf\\xe9,Bearings,piece,1"
    assert len(file.checked) == 1


def test_byte_order_mark_line_ends_and_blanks_do_not_count(tmp_path: Path) -> None:
    text = "\ufeff" + (HEADER + " BRG-1 , Bearing,Bearings ,piece, 4.75\n").replace("\n", "\r\n")
    file = read_table(products(tmp_path, text), PRODUCTS)
    assert file.checked[0].given["sku"] == "BRG-1"
    assert file.faults == ()


def test_a_column_name_and_a_cell_must_agree_on_the_currency(tmp_path: Path) -> None:
    text = "sku,name,category,unit,unit_price_usd,currency\nA,A,A,A,1,EUR\nB,B,B,B,1,USD\n"
    file = read_table(products(tmp_path, text), PRODUCTS)
    (fault,) = file.faults
    assert (fault.field, fault.reason) == ("unit_price_usd", "means currency USD, but the row says EUR")
    assert [row.given["sku"] for row in file.checked] == ["B"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("sku,name,category,unit\n", "lacks a column: list_price or unit_price_usd"),
        ("sku,name,category,unit,list_price,sku\n", "names a column twice: sku"),
        ("sku,name,category_id,unit,list_price\n", "categories.csv is not there"),
    ],
)
def test_a_file_that_cant_be_used_says_why(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message):
        read_table(products(tmp_path, text), PRODUCTS)


def test_customers_without_an_address_are_faulty(tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    path.write_text(
        "customer_id,company_name,address,city,region,postal_code,country\nVal2 ,IT,,,,,\n"
        "HUNGO,Hungry Owl,8 Johnstown Road,Cork,Co. Cork,,Ireland\n"
    )
    file = read_table(path, ACCOUNTS)
    assert [(fault.field, fault.reason) for fault in file.faults] == [
        ("address", "is empty"), ("city", "is empty"), ("country", "is empty"),
    ]  # fmt: skip
    assert [row.given["account_id"] for row in file.checked] == ["HUNGO"]
    assert "postal_code" not in file.checked[0].given


def test_the_document_shows_every_field_and_column() -> None:
    document = (Path(__file__).parents[3] / "docs" / "load.md").read_text()
    for table in TABLES:
        assert all(f"`{file}`" in document for file in table.files)
        for field in table.fields:
            columns = " or ".join(f"`{column.name}`" for column in field.columns)
            assert f"| {field.target} | {columns} | {'yes' if field.required else ''} |" in document
