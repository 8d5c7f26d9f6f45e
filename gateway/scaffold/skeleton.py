"""Fills templates in and writes them, all or none: what stands already is never touched."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Literal, get_args

from gateway.scaffold.names import Names, Refused
from gateway.scaffold.port import connector_placeholders
from governance.contract.operation import TIERS

Kind = Literal["system-api", "process-api", "experience-api", "connector", "policy"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SUFFIX = ".tmpl"
STATEMENT = r"(?:from \S+ import (?:\([^)]*\)|[^\n(]+)|import [^\n(]+)\n"
IMPORTS = re.compile(rf"^(?:{STATEMENT})+", re.MULTILINE)


def new(kind: Kind, given: str, folder: Path, api: str | None = None) -> tuple[Path, ...]:
    """Write a skeleton below ``folder`` and tell its files, relative to it; ``api`` is a connector's system API.

    Raises:
        Refused: the name is bad or taken, a file stands already, or the API has no port to connect.
    """
    names = Names.of(given)
    if (kind == "connector") != (api is not None):
        raise Refused("Say which system API the connector is for, with --api; no other kind has one.")
    with _importable(folder):
        _refuse_taken(kind, names, api)
        values = names.placeholders | (connector_placeholders(api, names.name) if api is not None else {})
    written = {
        Path(path): text for path, text in _filled(files("gateway.scaffold") / "templates" / kind, values).items()
    }
    home = folder / _home(kind, names.name, api)
    if home.exists():
        raise Refused(f"{home} is there already: choose another name, or remove it first.")
    for path in written:
        if (folder / path).exists():
            raise Refused(f"{folder / path} is there already: move it away first.")
    for path, text in written.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return tuple(sorted(written))


def _home(kind: Kind, name: str, api: str | None) -> Path:
    match kind:
        case "connector":
            return Path("system_apis", str(api), "connectors", name)
        case "policy":
            return Path("governance", "policies", name)
        case _:
            return Path(f"{kind.removesuffix('-api')}_apis", name)


def _refuse_taken(kind: Kind, names: Names, api: str | None) -> None:
    """An id such as ``tax.v1`` does not say the tier, so a name belongs to one tier."""
    if kind.endswith("-api"):
        packages = [f"{tier}_apis.{names.name}" for tier in TIERS]
    elif kind == "policy":
        packages = [f"governance.policies.{names.name}"]
    else:
        packages = [f"system_apis.{api}.connectors.{names.name}"]
    for package in packages:
        found = _found(package)
        if found is not None:
            raise Refused(f"The name {names.name} is taken by {found}: choose another one.")


def _found(package: str) -> str | None:
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:  # of a package around it
        return None
    if spec is None:
        return None
    return next(iter(spec.submodule_search_locations or ()), spec.origin)


@contextmanager
def _importable(folder: Path) -> Generator[None]:
    """A company's own APIs are found although nobody exported ``PYTHONPATH`` yet."""
    entry = str(folder.resolve())
    added = entry not in sys.path
    if added:
        sys.path.insert(0, entry)
    importlib.invalidate_caches()  # folders that were written a moment ago are seen
    try:
        yield
    finally:
        if added:
            sys.path.remove(entry)


def _filled(place: Traversable, values: Mapping[str, str], above: str = "") -> dict[str, str]:
    """The files below a folder of templates, by path."""
    filled: dict[str, str] = {}
    for child in place.iterdir():
        path = above + Template(child.name).substitute(values)
        if child.is_dir():
            filled |= _filled(child, values, f"{path}/")
        elif child.name.endswith(SUFFIX):
            text = Template(child.read_text()).substitute(values)
            filled[path.removesuffix(SUFFIX)] = IMPORTS.sub(_sorted, text)
    return filled


def _sorted(imports: re.Match[str]) -> str:
    """One block of imports in order, which depends on the name that was filled in."""
    statements: list[str] = re.findall(STATEMENT, imports[0])
    return "".join(sorted(statements, key=lambda one: (one.startswith("from "), one.split()[1])))
