"""What things are called, and what no file says: nouns of the business, no machine of ours."""

from __future__ import annotations

import ast
import re
import subprocess

from tests.architecture.tree import PACKAGES, ROOT, TIERS, defined, files, parsed

FORBIDDEN = re.compile(r"(^|_)(utils?|helpers?|common|base|managers?)(_|$)")
WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
ELSEWHERE = re.compile(
    r"pypi\.o"
    r"rg|pythonh"
    r"osted|npm"
    r"js|crates\.i"
    r"o\b|\bproxy\.gol"
    r"ang|(?<![\w.])/(?:work|root|home|Users)/\w"
)
"""Hosts of package registries, and folders of somebody's machine."""


def test_no_name_is_an_empty_word() -> None:
    paths = files(*PACKAGES, "tests")
    parts = {part for path in paths for part in path.with_suffix("").parts if FORBIDDEN.search(part)}
    names = [str(one) for one in defined(paths) if FORBIDDEN.search(WORD_START.sub("_", one.node.name).lower())]
    assert not parts
    assert not names


def test_every_module_says_what_it_is() -> None:
    silent = [str(path) for path in files(*PACKAGES, "tests") if not ast.get_docstring(parsed(path))]
    assert not silent


def test_tier_roots_are_namespace_packages() -> None:
    assert not [tier for tier in TIERS if (ROOT / tier / "__init__.py").exists()]


def test_no_file_names_a_registry_or_a_machine() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found: list[str] = []
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix not in (".png", ".svg"):
            found += [f"{name}: {match[0]}" for match in ELSEWHERE.finditer(path.read_text(errors="replace"))]
    assert not found
