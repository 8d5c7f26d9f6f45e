"""Source text as this repository writes it: signatures, docstrings and imports within 120 columns."""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

WIDTH = 120
Method = Callable[..., Any]


def signature(method: Method) -> str:
    """The head of a method, as it stands in a class, with its annotations as they were written."""
    found = inspect.signature(method)
    parameters = [_parameter(one) for one in found.parameters.values()]
    first_by_name = next(
        (n for n, one in enumerate(found.parameters.values()) if one.kind is one.KEYWORD_ONLY), len(parameters)
    )
    if first_by_name < len(parameters):
        parameters.insert(first_by_name, "*")
    head, end = f"    async def {method.__name__}(", f") -> {found.return_annotation}:"
    on_one = ", ".join(parameters)
    if len(head + on_one + end) <= WIDTH:
        return head + on_one + end
    if len(on_one) + 8 <= WIDTH:
        return f"{head}\n        {on_one}\n    {end}"
    return "\n".join([head, *(f"        {parameter}," for parameter in parameters), f"    {end}"])


def _parameter(one: inspect.Parameter) -> str:
    annotation = f": {one.annotation}" if one.annotation is not one.empty else ""
    if one.default is one.empty:
        return one.name + annotation
    return f"{one.name}{annotation} = {one.default!r}" if annotation else f"{one.name}={one.default!r}"


def docstring(method: Method) -> str:
    """The first sentence of a method's own docstring."""
    lines = (inspect.getdoc(method) or method.__name__.replace("_", " ").capitalize()).splitlines()
    return f'"""{lines[0].rstrip(".")}."""'


def import_lines(methods: Iterable[Method]) -> tuple[str, str]:
    """What a connector with these methods imports: of the standard library, and of the tiers."""
    wanted: dict[str, set[str]] = {"typing": {"Annotated", "TypeVar"}, "urllib": {"parse"}}
    for method in methods:
        origins = _origins(sys.modules[method.__module__].__file__ or "")
        for name in _names(method):
            wanted.setdefault(origins.get(name, method.__module__), set()).add(name)
    standard = {module: names for module, names in wanted.items() if module.split(".")[0] in sys.stdlib_module_names}
    own = {module: names for module, names in wanted.items() if module not in standard}
    return _lines(standard), _lines(own)


def _names(method: Method) -> Iterator[str]:
    for annotation in inspect.get_annotations(method).values():
        for node in ast.walk(ast.parse(str(annotation))):
            if isinstance(node, ast.Name) and not hasattr(builtins, node.id):
                yield node.id


def _origins(file: str) -> Mapping[str, str]:
    """Name to the module that a file imports it from."""
    with open(file, encoding="utf-8") as source:
        tree = ast.parse(source.read())
    found = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]
    return {alias.asname or alias.name: str(node.module) for node in found for alias in node.names}


def _lines(wanted: Mapping[str, set[str]]) -> str:
    return "\n".join(_line(module, sorted(wanted[module], key=_rank)) for module in sorted(wanted))


def _line(module: str, names: list[str]) -> str:
    on_one = f"from {module} import {', '.join(names)}"
    if len(on_one) <= WIDTH:
        return on_one
    return "\n".join([f"from {module} import (", *(f"    {name}," for name in names), ")"])


def _rank(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2, name)
