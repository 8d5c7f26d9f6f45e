"""Writes a skeleton: every template of its kind, with the names put in, into a repository's folders."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from gateway.scaffold.connector import connector_source, port_of

SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
BLOCK = re.compile(r"(?:^from \S+ import [^()\n]+\n)+", re.MULTILINE)
SUFFIX = ".tmpl"


class ScaffoldRefused(Exception):
    """Nothing was written; the message says why."""


def write(kind: str, name: str, folder: Path, api: str = "") -> tuple[Path, ...]:
    """The files of a new skeleton under ``folder``, relative to it.

    Raises:
        ScaffoldRefused: the name does not do, the API is not there, or something stands there already.
    """
    if not SNAKE_CASE.match(name) or keyword.iskeyword(name):
        raise ScaffoldRefused(f"{name} is no name for a folder of APIs: write it in snake_case, such as tax_rates.")
    names = _names(name, api)
    sources = {_placed(path, names): Template(text).substitute(names) for path, text in _templates(kind)}
    if kind == "connector":
        try:
            names["Port"] = port_of(api).__name__
            sources = {_placed(path, names): Template(text).substitute(names) for path, text in _templates(kind)}
            sources[Path("system_apis", api, "connectors", name, "connector.py")] = connector_source(api, name)
        except LookupError as error:
            raise ScaffoldRefused(str(error)) from None
    for path in sources:  # all of them first, so that nothing is half written
        if (folder / path).exists():
            raise ScaffoldRefused(f"{folder / path} is there already; nothing was written.")
    for path, text in sources.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(imports_sorted(text))
    return tuple(sorted(sources))


def imports_sorted(text: str) -> str:
    """The text with every block of one-line imports in order, which depends on the names put in."""
    return BLOCK.sub(lambda block: "".join(sorted(map(_names_sorted, block[0].splitlines(keepends=True)))), text)


def _names_sorted(line: str) -> str:
    head, _, names = line.rstrip("\n").partition(" import ")
    ordered = sorted(names.split(", "), key=lambda name: (not name.isupper(), name[0].islower(), name))
    return f"{head} import {', '.join(ordered)}\n"


def _names(name: str, api: str) -> dict[str, str]:
    words = name.replace("_", " ")
    return {
        "name": name,
        "api": api,
        "kebab": name.replace("_", "-"),
        "Class": "".join(part.capitalize() for part in name.split("_")),
        "words": words,
        "Words": words.capitalize(),
        "Header": "-".join(part.capitalize() for part in name.split("_")),
        "Port": "",
    }


def _templates(kind: str) -> Iterator[tuple[str, str]]:
    root = files("gateway.scaffold").joinpath("templates", kind.replace("-", "_"))
    yield from _below(root, "")


def _below(place: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for child in sorted(place.iterdir(), key=lambda one: one.name):
        if child.is_dir():
            yield from _below(child, f"{path}{child.name}/")
        elif child.name.endswith(SUFFIX):
            yield path + child.name.removesuffix(SUFFIX), child.read_text()


def _placed(path: str, names: Mapping[str, str]) -> Path:
    return Path(path.replace("NAME", names["name"]).replace("API", names["api"]))
