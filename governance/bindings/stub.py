"""The object that a caller holds: the methods of a contract that it needs, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from governance.contract.operation import Api

Stub = Any
"""An object with some methods of a contract; typed as the contract where it is injected."""


def stub_class(callee: Api, methods: Mapping[str, Callable[..., Any]], caller_id: str) -> type[Any]:
    """A class whose instances have exactly ``methods``; others say how to get at them."""
    contract = callee.contract.__qualname__

    def refuse(_: object, name: str) -> Any:
        if any(operation.name == name for operation in callee.operations):
            raise AttributeError(f"{caller_id} may not call {callee.id}.{name}: add {contract}.{name} to its needs.")
        raise AttributeError(f"{contract} has no operation {name}.")

    return type(f"{contract}For{caller_id}", (), {**methods, "__getattr__": refuse, "__slots__": ()})
