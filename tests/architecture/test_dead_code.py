"""Dead code is found: a planted function that nothing calls is reported, what is called is not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.architecture.dead_code import ROOT, dead_code

PLANTED = '''
class Ledger:
    """Live, with one dead method."""

    entries: int = 0

    def post(self) -> None:
        """Called below."""

    def forget(self) -> None:
        """Nobody calls it."""


def close_the_books() -> None:
    """Nobody calls it."""


DORMANT_RATE = 7

Ledger().post()
'''

pytestmark = pytest.mark.check


def test_a_planted_dead_function_is_found(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "planted.py").write_text(PLANTED)
    assert dead_code(tmp_path) == [
        "gateway/planted.py:10: unused method forget",
        "gateway/planted.py:14: unused function close_the_books",
        "gateway/planted.py:18: unused variable DORMANT_RATE",
    ]
