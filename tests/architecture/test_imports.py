"""Imports run one way: every contract of import-linter reports a violation that is planted for it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "governance", "system_apis", "process_apis", "experience_apis")
LINT = """
import sys
root, copy = sys.argv[1:3]
sys.path[:] = [copy, *(path for path in sys.path if path not in ("", root))]
from importlinter.cli import lint_imports
sys.exit(lint_imports(limit_to_contracts=(sys.argv[3],), no_cache=True))
"""
PLANTED = {
    "tiers": [
        ("governance/contract/planted.py", "import gateway.settings"),
        ("system_apis/erp/planted.py", "import process_apis.catalogue.v1.contract"),
        ("process_apis/catalogue/planted.py", "import experience_apis.portal.v1.model"),
        ("experience_apis/portal/v1/planted.py", "import gateway.app"),
    ],
    "experience-sees-contracts": [
        ("experience_apis/portal/v1/planted.py", "import process_apis.catalogue.v1.service"),
        ("experience_apis/portal/v1/planted.py", "import process_apis.flow.table"),
        ("experience_apis/portal/v1/planted.py", "import system_apis.erp.v1.contract"),
        ("experience_apis/portal/v1/planted.py", "import system_apis.erp.port"),
        ("experience_apis/portal/v1/planted.py", "import system_apis.embedded.record_files"),
    ],
    "process-sees-contracts": [
        ("process_apis/catalogue/v1/planted.py", "import system_apis.erp.v1.service"),
        ("process_apis/catalogue/v1/planted.py", "import system_apis.erp.port"),
        ("process_apis/order_to_fulfillment/planted.py", "import system_apis.erp.connectors.embedded.stock"),
    ],
    "entities-stay-below": [
        ("process_apis/catalogue/v1/model.py", "import system_apis.canonical.entities"),
        ("process_apis/order_to_fulfillment/v1/contract.py", "from system_apis.canonical.entities import Product"),
        ("experience_apis/portal/v1/model.py", "import system_apis.canonical.entities"),
    ],
    "connectors-are-discovered": [
        ("gateway/planted.py", "import system_apis.erp.connectors.embedded.connector"),
        ("system_apis/erp/v1/service.py", "import system_apis.erp.connectors.embedded.connector"),
        ("system_apis/crm/port.py", "import system_apis.crm.connectors.embedded.shelf"),
    ],
    "policies-stand-alone": [
        ("governance/policies/scopes/planted.py", "import governance.policies.ownership"),
        ("governance/policies/telemetry.py", "import governance.policies.rate_limit.limit"),
    ],
}

pytestmark = pytest.mark.check


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "*.csv"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint(copy: Path, contract: str) -> str:
    """What import-linter says of the copy; it sees nothing of the original."""
    command = [sys.executable, "-c", LINT, str(ROOT), str(copy), contract]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False, timeout=150)
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return done.stdout


def test_every_contract_has_its_planted_violation() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert {contract["id"] for contract in contracts} == set(PLANTED)


@pytest.mark.parametrize(
    ("contract", "path", "statement"), [(contract, *each) for contract, all_of in PLANTED.items() for each in all_of]
)
def test_a_planted_violation_is_reported(copy: Path, contract: str, path: str, statement: str) -> None:
    planted = copy / path
    before = planted.read_text() if planted.exists() else None
    planted.write_text(f"{before or ''}\n{statement}\n")
    try:
        said = lint(copy, contract)
    finally:
        planted.unlink() if before is None else planted.write_text(before)
    importer = path.removesuffix(".py").replace("/", ".")
    imported = re.split(r"\s+", statement)[1]
    assert "1 broken" in said, said
    assert importer in said, said
    assert imported.split(".")[0] in said, said
