"""Reports functions, classes and names that nothing uses: vulture, told what is data and what others call.

``python tests/architecture/dead_code.py [FOLDER]`` exits 1 with one line for each finding. What a
framework or pytest calls by name is in ``[tool.vulture]`` of pyproject.toml. Not counted are fields
of a class, which are data that leave the process, arguments, which are the signature's business,
and contracts and services with their operations, which are found by folder and called by clients.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

from vulture import Vulture

ROOT = Path(__file__).parents[2]
CONTRACT = re.compile(r"^Contract$|V\d+$")


def dead_code(root: Path) -> list[str]:
    """One line for each finding below ``root``, by the settings of its pyproject.toml."""
    settings = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["vulture"]
    vulture = Vulture(ignore_names=settings["ignore_names"], ignore_decorators=settings["ignore_decorators"])
    paths = (root / path for path in settings["paths"])
    vulture.scavenge([str(path) for path in paths if path.exists()], exclude=settings["exclude"])
    spared: dict[Path, set[tuple[str, int]]] = {}
    found: list[str] = []
    for item in vulture.get_unused_code(min_confidence=settings["min_confidence"]):
        if item.filename not in spared:
            spared[item.filename] = _spared(item.filename)
        if (item.typ, item.first_lineno) not in spared[item.filename]:
            place = Path(item.filename).relative_to(root)
            found.append(f"{place}:{item.first_lineno}: unused {item.typ} {item.name}")
    return found


def _spared(path: Path) -> set[tuple[str, int]]:
    """What is not counted in a module: kind and line."""
    tree = ast.parse(path.read_text())
    spared = {("variable", node.lineno) for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            spared |= {("variable", one.lineno) for one in node.body if isinstance(one, ast.AnnAssign)}
            if any(isinstance(one, ast.Name) and CONTRACT.search(one.id) for one in node.bases):
                spared |= {("class", node.lineno), *(("method", one.lineno) for one in node.body)}
    return spared


if __name__ == "__main__":
    findings = dead_code(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT)
    print(*findings, sep="\n", end="\n" if findings else "")
    sys.exit(bool(findings))
