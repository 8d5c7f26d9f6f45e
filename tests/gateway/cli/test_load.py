"""``tiergate load`` as a person runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import tiergate
from gateway.cli.failure import Failure

PRODUCTS = "sku,name,category,unit,list_price,on_hand,colour\nT-1,Tea,Drinks,box,12.5,3,green\nT-2,,Drinks,tin,40,0,\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("TIERGATE_HOME", raising=False)
    (tmp_path / "csv").mkdir()
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(tiergate, list(arguments), catch_exceptions=False)


def test_a_load_and_the_same_again(here: Path) -> None:
    (here / "csv" / "products.csv").write_text(PRODUCTS)
    first = run("load", "csv", "--home", "state", "--warehouse", "LDS")
    assert first.exit_code == 0
    rows = {line.split()[0]: line.split()[1:] for line in first.stdout.splitlines() if line.strip()}
    assert rows["products"] == ["2", "1", "0", "0", "1"]
    assert rows["stock"] == ["1", "1", "0", "0", "0"]
    assert "products.csv: colour" in first.stdout
    assert "products.csv:3 name is empty" in first.stdout
    (quarantined,) = (here / "state" / "quarantine").iterdir()
    assert str(quarantined) in first.stdout
    again = run("load", "csv", "--home", "state", "--warehouse", "LDS")
    rows = {line.split()[0]: line.split()[1:] for line in again.stdout.splitlines() if line.strip()}
    assert rows["products"] == ["2", "0", "0", "1", "1"]
    assert rows["stock"] == ["1", "0", "0", "1", "0"]


def test_a_folder_without_known_files_fails_with_a_sentence(here: Path) -> None:
    with pytest.raises(Failure, match="holds none of") as caught:
        run("load", "csv")
    assert caught.value.exit_code == 1


def test_a_warehouse_must_look_like_one(here: Path) -> None:
    assert run("load", "csv", "--warehouse", "no such").exit_code == 2


def test_a_home_that_is_a_file_fails_with_a_sentence(here: Path) -> None:
    (here / "csv" / "products.csv").write_text(PRODUCTS)
    (here / "state").write_text("")
    with pytest.raises(Failure, match="state"):
        run("load", "csv", "--home", "state")


def test_a_broken_configuration_fails_as_it_does_for_serve(here: Path) -> None:
    (here / "tiergate.toml").write_text("[systems.erp]\nconnector = 'nowhere'\n")
    (here / "csv" / "products.csv").write_text(PRODUCTS)
    with pytest.raises(Failure, match="nowhere") as caught:
        run("load", "csv")
    assert caught.value.exit_code == 2
