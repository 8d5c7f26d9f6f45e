"""The object that a caller holds: the methods of a contract that it needs, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from governance.contract.operation import Api, Operation
from governance.contract.problems import Violation
from governance.contract.refusals import InvalidParameters
from governance.wire.parameters import DOT_SEGMENTS

UNBOUNDED = (str, bool, str | None, bool | None)
"""Types without bounds: judging them is left to type checkers."""

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


def arguments_binder(operation: Operation) -> Callable[[tuple[Any, ...], dict[str, Any]], tuple[Any, ...]]:
    """A function from call arguments to the tuple in the signature's order, defaults filled in.

    It raises ``TypeError`` for a missing, unknown or doubled argument, as a plain call would.
    """
    names = tuple(parameter.name for parameter in operation.parameters)
    defaults = {parameter.name: parameter.default for parameter in operation.parameters if not parameter.required}
    count = len(names)

    def bind(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        if len(args) == count and not kwargs:
            return args
        if len(args) > count:
            raise TypeError(f"{operation.id} takes {count} arguments, {len(args)} were given")
        given = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name in given or name not in names:
                raise TypeError(f"{operation.id}: argument {name} is {'given twice' if name in given else 'unknown'}")
            given[name] = value
        missing = [name for name in names if name not in given and name not in defaults]
        if missing:
            raise TypeError(f"{operation.id}: argument {', '.join(missing)} is missing")
        return tuple(given[name] if name in given else defaults[name] for name in names)

    return bind


def arguments_judge(operation: Operation) -> Callable[[tuple[Any, ...]], None]:
    """A function that holds arguments to their types and bounds, as the strict wire would.

    It raises ``ValueError`` (``msgspec.ValidationError`` is one): a caller in this gateway that
    breaks a contract has a bug, whichever binding it holds; and ``InvalidParameters`` for a path
    parameter that would be another path.
    """
    judged = tuple(
        (index, parameter.type, parameter.where == "body")
        for index, parameter in enumerate(operation.parameters)
        if parameter.type not in UNBOUNDED
    )
    in_path = tuple((index, item.name) for index, item in enumerate(operation.parameters) if item.where == "path")

    def judge(arguments: tuple[Any, ...]) -> None:
        for index, annotation, is_body in judged:
            value = arguments[index]
            msgspec.convert(msgspec.to_builtins(value) if is_body else value, annotation)
        for index, name in in_path:
            if arguments[index] in DOT_SEGMENTS:
                raise InvalidParameters((Violation(parameter=name, detail="is a dot segment"),))

    return judge
