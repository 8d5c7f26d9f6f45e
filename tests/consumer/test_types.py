"""What a consumer gets wrong is an error in mypy and in pyright, at the line where it stands."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRONG = '''
"""Every marked line is wrong."""

from __future__ import annotations

from tests.consumer.loans import AllLent, LendingV1, Loan, NewLoan
from tests.consumer.services import Lending


class Forgetful(LendingV1):
    """Other parameters than the contract's."""

    async def get_loan(self, loan: int) -> Loan:  # wrong
        raise AllLent(back_in_days=1)


async def calls(lending: LendingV1) -> None:
    """Calls through whatever binding is injected."""
    loan = await lending.get_loan("L-1")
    await lending.get_loan(1)  # wrong
    await lending.get_loan(id="L-1")  # wrong
    await lending.list_loans("ACME")  # wrong
    await lending.lend(loan)  # wrong
    loan.owner  # wrong
    loan.days = 3  # wrong
    loan.days.upper()  # wrong
    (await lending.list_loans(account_id="ACME")).items[0].loan_id.days  # wrong
    NewLoan(account_id="ACME", days="many")  # wrong
    AllLent(back_in_days="soon")  # wrong
    AllLent()  # wrong
    Lending()  # wrong
'''

pytestmark = pytest.mark.check


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    path = tmp_path / "wrong.py"
    path.write_text(WRONG)
    return path


def expected() -> set[int]:
    return {number for number, line in enumerate(WRONG.splitlines(), 1) if line.endswith("# wrong")}


def run(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=150).stdout


def test_mypy_sees_every_wrong_line(wrong: Path) -> None:
    output = run(sys.executable, "-m", "mypy", str(wrong))
    assert {int(number) for number in re.findall(r"wrong\.py:(\d+): error", output)} == expected(), output


def test_pyright_sees_every_wrong_line(wrong: Path) -> None:
    settings = {
        "include": ["wrong.py"],
        "extraPaths": [str(ROOT)],
        "venvPath": str(Path(sys.prefix).parent),
        "venv": Path(sys.prefix).name,
        "pythonVersion": "3.11",
    }
    (wrong.parent / "pyrightconfig.json").write_text(json.dumps(settings))
    output = run(sys.executable, "-m", "pyright", "--outputjson", "--project", str(wrong.parent))
    errors = [one for one in json.loads(output)["generalDiagnostics"] if one["severity"] == "error"]
    assert {one["range"]["start"]["line"] + 1 for one in errors} == expected(), output


def test_mypy_passes_the_consumer_as_it_is() -> None:
    assert "Success" in run(sys.executable, "-m", "mypy")
