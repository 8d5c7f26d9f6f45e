"""What a fresh clone is set up from: lock files that agree with pyproject.toml, with hashes and without addresses."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("run", "dev", "bench")
PINNED = re.compile(r"^([a-zA-Z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)
NAME = re.compile(r"[a-zA-Z0-9._-]+")


def pins(lock: str) -> dict[str, str]:
    """Package to version in a lock file."""
    found = PINNED.findall((ROOT / "requirements" / f"{lock}.lock").read_text())
    return {normal(name): version for name, version in found}


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(*groups: str) -> set[str]:
    """The packages that pyproject.toml asks for, with these dependency groups."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    requirements = [
        *project["project"]["dependencies"],
        *(one for group in groups for one in project["dependency-groups"][group]),
    ]
    return {normal(found[0]) for one in requirements if (found := NAME.match(one))}


@pytest.mark.parametrize(
    ("lock", "groups"), [("run", ("build",)), ("dev", ("build", "test", "check")), ("bench", ("build", "bench"))]
)
def test_a_lock_holds_everything_that_is_declared(lock: str, groups: tuple[str, ...]) -> None:
    assert declared(*groups) <= pins(lock).keys()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.lock").read_text()
    blocks = re.split(r"\n(?=[a-zA-Z0-9])", text)
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"https?://|--index|--find-links|file:", text)


def test_what_two_locks_share_has_one_version() -> None:
    run = pins("run")
    for other in (pins("dev"), pins("bench")):
        assert {name: other[name] for name in run if name in other and other[name] != run[name]} == {}
        assert run.keys() <= other.keys()


def test_make_help_lists_what_a_newcomer_needs() -> None:
    said = subprocess.run(["make", "help"], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    for target in ("run", "test", "check", "demo", "bench", "help", "lock", "clean"):
        assert f"make {target} " in said
