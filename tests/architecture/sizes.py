"""The size report: ``python -m tests.architecture.sizes`` prints medians and the longest of everything."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

from tests.architecture.tree import PACKAGES, ROOT, defined, files

FILE_LINES = 350
CONTRACT_LINES = 700
FUNCTION_LINES = 50
LONGEST = 5


def length(path: Path) -> int:
    """Lines of a file below the root."""
    return len((ROOT / path).read_text().splitlines())


def most_lines(name: str) -> int:
    """How long a file may be: a contract states all operations of its version itself, so it can't be split."""
    return CONTRACT_LINES if name.endswith("/contract.py") else FILE_LINES


def longest(paths: list[Path]) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Files and functions with their lines, the longest first."""
    sizes = [(length(path), str(path)) for path in paths]
    functions = [(one.lines, str(one)) for one in defined(paths) if not isinstance(one.node, ast.ClassDef)]
    return sorted(sizes, reverse=True), sorted(functions, reverse=True)


def report() -> str:
    """What ``make check`` prints."""
    rows: list[str] = []
    for title, roots in (("source", PACKAGES), ("tests", ("tests",))):
        sizes, functions = longest(files(*roots))
        for what, of in (("file", sizes), ("function", functions)):
            median = statistics.median(lines for lines, _ in of)
            rows.append(f"{title}: {len(of)} {what}s, median {median:g} lines; the longest:")
            rows.extend(f"  {lines:4d}  {name}" for lines, name in of[:LONGEST])
    return "\n".join(rows)


if __name__ == "__main__":
    print(report())
