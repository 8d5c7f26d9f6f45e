"""Injection by type: a class gets what its constructor's annotations ask for."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import Any, get_args

from governance.contract.errors import ContractError
from governance.contract.graph import constructor_types

Resources = Mapping[Any, Any]
"""Type to the object that is injected for it."""


def made(kind: type[Any], resources: Resources) -> Any:
    """An instance of ``kind`` with its constructor's parameters taken from ``resources``.

    A parameter that may be None is left out where nothing is there for it.

    Raises:
        ContractError: a parameter's type is not among them.
    """
    arguments: dict[str, Any] = {}
    for name, annotation in constructor_types(kind).items():
        wanted = [member for member in get_args(annotation) or (annotation,) if member is not NoneType]
        found = [member for member in wanted if member in resources]
        if found:
            arguments[name] = resources[found[0]]
        elif NoneType not in get_args(annotation):
            asked = getattr(annotation, "__qualname__", annotation)
            raise ContractError(f"{kind.__module__}.{kind.__qualname__} asks for {name}: {asked}, which is not there.")
    return kind(**arguments)
