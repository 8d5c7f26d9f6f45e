"""The source tree as the architecture tests look at it: files, functions and names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "governance", "system_apis", "process_apis", "experience_apis")
TIERS = ("system_apis", "process_apis", "experience_apis")

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Defined(NamedTuple):
    """A function or class where it stands."""

    path: Path
    """Below the root."""
    node: Function | ast.ClassDef

    @property
    def lines(self) -> int:
        return (self.node.end_lineno or self.node.lineno) - self.node.lineno + 1

    def __str__(self) -> str:
        return f"{self.path}:{self.node.lineno} {self.node.name}"


def files(*roots: str) -> list[Path]:
    """Every module below these folders, relative to the root."""
    found = (path for root in roots for path in (ROOT / root).rglob("*.py"))
    return sorted(path.relative_to(ROOT) for path in found)


@cache
def parsed(path: Path) -> ast.Module:
    """The module at ``path`` below the root."""
    return ast.parse((ROOT / path).read_text())


def defined(paths: list[Path]) -> Iterator[Defined]:
    """Every function, method and class in these modules."""
    for path in paths:
        for node in ast.walk(parsed(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield Defined(path, node)


def api_versions() -> list[Path]:
    """Every folder that is an API version, relative to the root."""
    found = (path.parent for tier in TIERS for path in (ROOT / tier).glob("*/v*/contract.py"))
    return sorted(path.relative_to(ROOT) for path in found)


def connectors() -> list[Path]:
    """Every vendor's folder."""
    found = (path.parent for path in (ROOT / "system_apis").glob("*/connectors/*/__init__.py"))
    return sorted(path.relative_to(ROOT) for path in found)
