"""``tiergate new``: every kind of skeleton stands in a company's own repository, is found, typed, tested and in style."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import tiergate
from gateway.cli.failure import CONFIGURATION, Failure

ROOT = Path(__file__).parents[3]
MADE = (
    ("system-api", "tax_rates"),
    ("process-api", "export_offers"),
    ("experience-api", "dealer_shop"),
    ("connector", "sap", "--api", "erp"),
    ("connector", "salesforce", "--api", "crm"),
    ("connector", "ledger", "--api", "tax_rates"),
    ("policy", "four_eyes"),
)
WRITING = """
import sys
from gateway.cli import tiergate
for arguments in {made!r}:
    tiergate([*arguments, "--folder", sys.argv[1]], standalone_mode=False)
"""
ASSEMBLING = """
import json
from pathlib import Path
from gateway.app import build
from gateway.settings import load_settings
from governance.contract.discovery import discover_connectors

chains = build(load_settings({}, Path.cwd())).state.assembly.chains
served = {operation.id: [link.name for link in chain] for (operation, binding), chain in chains.items() if binding == "served"}
print(json.dumps({
    "served": sorted(served),
    "chain": served["dealer_shop.v1.get_offer"],
    "connectors": {api: sorted(discover_connectors(api)) for api in ("crm", "erp", "tax_rates")},
}))
"""
CONFIGURED = """
[systems.tax_rates]
connector = "http"
settings = { url = "http://127.0.0.1:9" }

[systems.erp]
connector = "sap"
settings = { url = "http://127.0.0.1:9" }

[policies.four_eyes]
value = "seen"
tiers = ["experience"]
"""


def python(folder: Path, *arguments: str) -> str:
    """What Python prints in the company's folder, with Tiergate installed beside it."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=150)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a skeleton of every kind; what the commands said is in ``said.txt``."""
    folder = tmp_path_factory.mktemp("company")
    made = [("new", *arguments) for arguments in MADE]
    (folder / "said.txt").write_text(python(folder, "-c", WRITING.format(made=made), "."))
    (folder / "tiergate.toml").write_text(CONFIGURED)
    return folder


def fails(*arguments: str) -> str:
    with pytest.raises(Failure) as caught:
        CliRunner().invoke(tiergate, ["new", *arguments], catch_exceptions=False)
    assert caught.value.exit_code == CONFIGURATION
    return str(caught.value)


def test_it_says_what_it_wrote_and_what_to_do_next(company: Path) -> None:
    said = (company / "said.txt").read_text()
    wrote = {line.removeprefix("wrote ") for line in said.splitlines() if line.startswith("wrote ")}
    there = {str(path.relative_to(company)) for path in company.rglob("*.py")}
    assert wrote == there
    for words in (
        "python -m pytest tests/system_apis/tax_rates/test_tax_rates.py",
        '[systems.tax_rates]\n  connector = "http"',
        '"tax-rates.entries:read", "tax-rates.entries:write"',
        '[systems.erp]\n  connector = "sap"',
        '[policies.four_eyes]\n  value = "on"',
        "tiergate apis --operations",
        'tiergate token --client dealer-shop-desk --secret "$DEALER_SHOP_SECRET"',
    ):
        assert words in said


def test_everything_is_found_and_put_together_in_one_gateway(company: Path) -> None:
    said = json.loads(python(company, "-c", ASSEMBLING))
    assert {
        "tax_rates.v1.get_entry",
        "tax_rates.v1.list_entries",
        "tax_rates.v1.create_entry",
        "export_offers.v1.get_product",
        "dealer_shop.v1.get_offer",
    } <= set(said["served"])
    assert said["connectors"] == {
        "crm": ["embedded", "salesforce"],
        "erp": ["embedded", "sap"],
        "tax_rates": ["http", "ledger"],
    }
    assert {"four_eyes", "authentication", "scopes", "ownership", "rate_limit"} <= set(said["chain"])


def test_the_generated_tests_pass(company: Path) -> None:
    said = python(company, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "tests")
    assert " passed" in said
    assert "failed" not in said


@pytest.mark.check
def test_the_skeletons_are_in_style(company: Path) -> None:
    config = str(ROOT / "pyproject.toml")
    python(company, "-m", "ruff", "check", "--no-cache", "--config", config, ".")
    python(company, "-m", "ruff", "format", "--no-cache", "--check", "--config", config, ".")


@pytest.mark.check
def test_the_skeletons_are_strictly_typed(company: Path) -> None:
    config = {
        "include": ["system_apis", "process_apis", "experience_apis", "governance", "tests"],
        "extraPaths": [str(ROOT)],
        "pythonVersion": "3.11",
        "typeCheckingMode": "strict",
    }
    (company / "pyrightconfig.json").write_text(json.dumps(config))
    assert "0 errors" in python(company, "-m", "pyright", "--pythonpath", sys.executable)


@pytest.mark.parametrize(
    "name", ["TaxRates", "tax-rates", "_tax", "tax__rates", "2nd", "", "class", "x" * 41, "steuer_ä"]
)
def test_a_bad_name_is_refused(tmp_path: Path, name: str) -> None:
    assert fails("system-api", "--folder", str(tmp_path), "--", name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("system-api", "erp"), "The name erp is taken by"),
        (("process-api", "erp"), "The name erp is taken by"),
        (("experience-api", "flow"), "The name flow is taken by"),
        (("policy", "cors"), "The name cors is taken by"),
        (("connector", "embedded", "--api", "erp"), "The name embedded is taken by"),
        (("connector", "sap", "--api", "nowhere"), "There is no system API nowhere with a port"),
        (("connector", "sap"), "with --api"),
        (("policy", "four_eyes", "--api", "erp"), "with --api"),
    ],
)
def test_what_is_taken_or_unknown_is_refused(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    assert words in fails(*arguments, "--folder", str(tmp_path))
    assert not list(tmp_path.iterdir())


def test_what_stands_already_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "system_apis" / "tax_rates").mkdir(parents=True)
    assert "choose another" in fails("system-api", "tax_rates", "--folder", str(tmp_path))
    tests = tmp_path / "tests" / "governance" / "policies" / "four_eyes" / "test_four_eyes.py"
    tests.parent.mkdir(parents=True)
    tests.write_text("mine")
    assert "move it away" in fails("policy", "four_eyes", "--folder", str(tmp_path))
    assert tests.read_text() == "mine"
    assert not (tmp_path / "governance").exists()


def test_another_kind_is_told_the_choices(tmp_path: Path) -> None:
    result = CliRunner().invoke(tiergate, ["new", "database", "x", "--folder", str(tmp_path)])
    assert result.exit_code == 2
    for kind in ("system-api", "process-api", "experience-api", "connector", "policy"):
        assert kind in result.output
