"""``tiergate new``: what it writes works at once, in a company's own repository beside Tiergate."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.new import command
from gateway.scaffold.writing import ScaffoldRefused, write

ROOT = Path(__file__).parents[3]
EVERY = (
    ("system-api", "tax_rates", ""),
    ("process-api", "stock_view", ""),
    ("experience-api", "kiosk", ""),
    ("connector", "sap", "payments"),
    ("policy", "four_eyes", ""),
)


@pytest.fixture
def company(tmp_path: Path) -> Path:
    for kind, name, api in EVERY:
        write(kind, name, tmp_path, api)
    return tmp_path


def told(company: Path, *arguments: str) -> str:
    environ = {**os.environ, "PYTHONPATH": str(company)}
    environ.pop("PYTEST_XDIST_WORKER", None)
    done = subprocess.run(
        [str(Path(sys.executable).parent / arguments[0]), *arguments[1:]],
        cwd=company,
        env=environ,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(120)
def test_what_it_writes_passes_its_own_tests(company: Path) -> None:
    options = ("-q", "--import-mode=importlib", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(company))
    assert "14 passed" in told(company, "pytest", *options, str(company / "tests"))


@pytest.mark.timeout(60)
def test_what_it_writes_is_found_and_documented(company: Path) -> None:
    listed = told(company, "tiergate", "apis")
    assert {"tax_rates", "stock_view", "kiosk"} <= set(listed.split())
    told(company, "tiergate", "contracts", "export", "--directory", str(company / "documents"))
    document = json.loads((company / "documents" / "process" / "stock-view" / "v1.json").read_text())
    operation = next(iter(document["paths"].values()))["get"]
    assert operation["operationId"] == "stock_view.v1.get_view"
    assert "Four-Eyes" in json.dumps(document)


@pytest.mark.check
@pytest.mark.timeout(120)
def test_what_it_writes_keeps_the_house_rules(company: Path) -> None:
    configuration = str(ROOT / "pyproject.toml")
    told(company, "ruff", "check", "--config", configuration, ".")
    told(company, "ruff", "format", "--config", configuration, "--check", ".")
    strict = {
        "include": ["system_apis", "process_apis", "experience_apis", "governance"],
        "typeCheckingMode": "strict",
        "extraPaths": [str(ROOT)],
    }
    (company / "pyrightconfig.json").write_text(json.dumps(strict))
    told(company, "pyright", "--pythonpath", sys.executable, "-p", ".")


@pytest.mark.parametrize(
    ("kind", "name", "api", "sentence"),
    [
        ("policy", "FourEyes", "", "FourEyes is no name for a folder of APIs: write it in snake_case"),
        ("policy", "class", "", "class is no name"),
        ("connector", "sap", "payrolls", "There is no system API payrolls"),
        ("connector", "sap", "payments", "is there already; nothing was written."),
    ],
)
def test_what_does_not_do_is_refused_and_nothing_is_written(
    company: Path, kind: str, name: str, api: str, sentence: str
) -> None:
    before = sorted(company.rglob("*"))
    with pytest.raises(ScaffoldRefused, match=sentence):
        write(kind, name, company, api)
    assert sorted(company.rglob("*")) == before


def test_the_command_says_what_it_wrote_and_what_comes_next(tmp_path: Path) -> None:
    said = CliRunner().invoke(command, ["process-api", "stock_view", "--folder", str(tmp_path)])
    assert said.exit_code == 0
    assert f"wrote {tmp_path / 'process_apis/stock_view/v1/service.py'}" in said.output
    assert "stock-view.products:read" in said.output


@pytest.mark.parametrize("arguments", [["connector", "sap"], ["policy", "four_eyes", "--api", "erp"], ["plugin", "x"]])
def test_wrong_arguments_say_what_to_do(tmp_path: Path, arguments: list[str]) -> None:
    said = CliRunner().invoke(command, [*arguments, "--folder", str(tmp_path)])
    assert said.exit_code != 0
    assert not list(tmp_path.iterdir())
