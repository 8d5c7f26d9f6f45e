"""Files and functions stay small enough to be read at once (design §11)."""

from __future__ import annotations

import statistics

import pytest

from tests.architecture.sizes import FUNCTION_LINES, longest, most_lines, report
from tests.architecture.tree import PACKAGES, files

EVERYTHING = (*PACKAGES, "tests")


def test_no_file_and_no_function_is_too_long() -> None:
    sizes, functions = longest(files(*EVERYTHING))
    too_long = [name for lines, name in sizes if lines > most_lines(name)]
    too_long += [name for lines, name in functions if lines > FUNCTION_LINES]
    assert not too_long, f"split {too_long}"


@pytest.mark.parametrize(("of", "most"), [("files", 90), ("functions", 8)])
def test_the_median_stays_small(of: str, most: int) -> None:
    sizes, functions = longest(files(*PACKAGES))
    assert statistics.median(lines for lines, _ in (sizes if of == "files" else functions)) <= most


def test_the_report_names_the_longest() -> None:
    sizes, _ = longest(files(*PACKAGES))
    assert sizes[0][1] in report()
