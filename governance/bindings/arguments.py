"""Arguments of local and remote calls: bound to the signature and held to the contract.

Both run once a call between tiers, so what can be prepared at start-up is: defaults stand ready for
every number of positional arguments, and a text with a pattern is judged by the pattern itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin

import msgspec
from msgspec import Meta

from governance.contract.operation import Operation, Parameter
from governance.contract.problems import Violation
from governance.contract.refusals import InvalidParameters
from governance.wire.parameters import DOT_SEGMENTS

UNBOUNDED = (str, bool, str | None, bool | None)
"""Types without bounds: judging them is left to type checkers."""

Judge = Callable[[Any], Any]


def arguments_binder(operation: Operation) -> Callable[[tuple[Any, ...], dict[str, Any]], tuple[Any, ...]]:
    """A function from call arguments to the tuple in the signature's order, defaults filled in.

    It raises ``TypeError`` for a missing, unknown or doubled argument, as a plain call would.
    """
    names = tuple(parameter.name for parameter in operation.parameters)
    defaults = {parameter.name: parameter.default for parameter in operation.parameters if not parameter.required}
    tails = [_tail(operation.parameters[given:]) for given in range(len(names) + 1)]

    def bind(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        if len(args) > len(names):
            raise TypeError(f"{operation.id} takes {len(names)} arguments, {len(args)} were given")
        tail = tails[len(args)]
        if tail is not None and not kwargs:
            return args + tail
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


def _tail(left: tuple[Parameter, ...]) -> tuple[Any, ...] | None:
    return tuple(item.default for item in left) if not any(item.required for item in left) else None


def arguments_judge(operation: Operation) -> Callable[[tuple[Any, ...]], None]:
    """A function that holds arguments to their types and bounds, as the strict wire would.

    It raises ``ValueError`` (``msgspec.ValidationError`` is one): a caller in this gateway that
    breaks a contract has a bug, whichever binding it holds; and ``InvalidParameters`` for a path
    parameter that would be another path.
    """
    judged = tuple(
        (index, _judge_of(parameter))
        for index, parameter in enumerate(operation.parameters)
        if parameter.type not in UNBOUNDED
    )
    in_path = tuple((index, item.name) for index, item in enumerate(operation.parameters) if item.where == "path")

    def judge(arguments: tuple[Any, ...]) -> None:
        for index, judge_one in judged:
            judge_one(arguments[index])
        for index, name in in_path:
            if arguments[index] in DOT_SEGMENTS:
                raise InvalidParameters((Violation(parameter=name, detail="is a dot segment"),))

    return judge


def _judge_of(parameter: Parameter) -> Judge:
    annotation = parameter.type
    if parameter.where == "body":
        return lambda value: msgspec.convert(msgspec.to_builtins(value), annotation)
    search = _pattern(annotation)
    if search is None:
        return lambda value: msgspec.convert(value, annotation)

    def judge(value: Any) -> None:
        if type(value) is not str or search(value) is None:
            msgspec.convert(value, annotation)  # it refuses, in the words of the wire

    return judge


def _pattern(annotation: Any) -> Callable[[str], object] | None:
    """The search of a text type whose one bound is a pattern."""
    if get_origin(annotation) is not Annotated:
        return None
    kind, *notes = get_args(annotation)
    if kind is not str or len(notes) != 1 or not isinstance(notes[0], Meta):
        return None
    bound = notes[0]
    if bound.pattern is None or bound.min_length is not None or bound.max_length is not None:
        return None
    return re.compile(bound.pattern).search
