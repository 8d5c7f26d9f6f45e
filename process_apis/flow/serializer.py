"""How the workflow engine keeps arguments, results and exceptions: JSON with type tags, never pickle.

A stored value can make only the types listed here, so nobody who can write to the database can make
this process run code. Exceptions of the engine itself come back as themselves, because it tells by
their type what to do; any other exception comes back as ``Recorded`` with its words.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec
from dbos import Serializer
from dbos import error as engine_errors
from msgspec import Struct

from process_apis.flow.verdict import FlowStart, Verdict


class Recorded(Exception):
    """An exception from an earlier run, of which only the words were kept."""


class Plain(Struct, frozen=True, tag="plain"):
    """What JSON itself can say."""

    value: Any


class Failure(Struct, frozen=True, tag="failure"):
    """An exception: its class, its words, and what the engine's own need to be made again."""

    kind: str
    words: str
    args: tuple[Any, ...] = ()


Value = FlowStart | Verdict | Plain | Failure


class Arguments(Struct, frozen=True, tag="arguments"):
    """What a workflow was called with."""

    args: tuple[Value, ...]
    kwargs: dict[str, Value]


STORED: msgspec.json.Decoder[Value | Arguments] = msgspec.json.Decoder(Value | Arguments)


class FlowSerializer(Serializer):
    """The engine's serializer; its name is kept beside every value."""

    def name(self) -> str:
        """The name under which values are marked in the database."""
        return "tiergate_json"

    def serialize(self, data: Any) -> str:
        """Tagged JSON of ``data``.

        Raises:
            TypeError: ``data`` holds something that is neither JSON nor listed here.
        """
        if isinstance(data, dict) and cast("dict[str, Any]", data).keys() == {"args", "kwargs"}:
            call = cast("dict[str, Any]", data)
            args = tuple(map(_tagged, call["args"]))
            arguments = Arguments(args, {name: _tagged(value) for name, value in call["kwargs"].items()})
            return msgspec.json.encode(arguments).decode()
        return msgspec.json.encode(_tagged(data)).decode()

    def deserialize(self, serialized_data: str) -> Any:
        """What ``serialize`` was given.

        Raises:
            msgspec.ValidationError: the text was not written by ``serialize``.
        """
        stored = STORED.decode(serialized_data)
        if isinstance(stored, Arguments):
            return {
                "args": tuple(map(_untagged, stored.args)),
                "kwargs": {name: _untagged(value) for name, value in stored.kwargs.items()},
            }
        return _untagged(stored)


def start_in(arguments: str | None) -> FlowStart | None:
    """The start among a workflow's stored arguments; None where there is none that can be read."""
    try:
        stored = STORED.decode(arguments or "")
    except msgspec.DecodeError:
        return None
    given = stored.args[:1] if isinstance(stored, Arguments) else ()
    return next((one for one in given if isinstance(one, FlowStart)), None)


def failure_in(error: str | None) -> Failure | None:
    """The failure that a workflow is stored to have ended in; None where there is none that can be read."""
    try:
        stored = STORED.decode(error or "")
    except msgspec.DecodeError:
        return None
    return stored if isinstance(stored, Failure) else None


def _tagged(data: Any) -> Value:
    if isinstance(data, FlowStart | Verdict):
        return data
    if isinstance(data, BaseException):
        return Failure(type(data).__name__, str(data), _engine_arguments(data))
    if _is_json(data):
        return Plain(data)
    raise TypeError(f"a workflow can't keep a {type(data).__qualname__}: make it a Struct of process_apis.flow.verdict")


def _is_json(data: Any) -> bool:
    if isinstance(data, list):
        return all(map(_is_json, cast("list[Any]", data)))
    if isinstance(data, dict):
        members = cast("dict[Any, Any]", data)
        return all(isinstance(key, str) and _is_json(value) for key, value in members.items())
    return data is None or isinstance(data, bool | int | float | str)


def _engine_arguments(error: BaseException) -> tuple[Any, ...]:
    if getattr(engine_errors, type(error).__name__, None) is not type(error):
        return ()
    reduced = error.__reduce__()
    arguments = reduced[1] if isinstance(reduced, tuple) else ()
    return tuple(argument if _is_json(argument) else str(argument) for argument in arguments)


def _untagged(value: Value) -> Any:
    match value:
        case Plain():
            return value.value
        case Failure():
            return _exception(value)
        case _:
            return value


def _exception(failure: Failure) -> BaseException:
    kind = getattr(engine_errors, failure.kind, None)
    if failure.args and isinstance(kind, type) and issubclass(kind, BaseException):
        try:
            return kind(*failure.args)
        except TypeError:  # this engine's version makes it from something else: its words are what is left
            return Recorded(failure.words)
    return Recorded(f"{failure.kind}: {failure.words}")
