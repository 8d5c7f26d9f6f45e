"""Path and query parameters: text to typed values, compiled per operation at start-up.

Nothing is coerced beyond the one spelling of each type: whole numbers are digits, booleans are
``true`` and ``false``. Unknown and repeated query parameters are refused, each by name.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable
from typing import Any, get_args
from urllib.parse import unquote_to_bytes

import msgspec

from governance.contract.checks import bare, union_members
from governance.contract.operation import Operation, Parameter
from governance.contract.problems import Violation
from governance.contract.refusals import InvalidParameters
from governance.wire.patterns import stray_line_feed
from governance.wire.shape import MOST_VIOLATIONS
from governance.wire.violations import reason

WHOLE = re.compile(r"(0|-?[1-9][0-9]{0,18})\Z")
DOT_SEGMENTS = frozenset((".", ".."))
"""What RFC 3986 §5.2.4 takes out of paths: no parameter's value, or programs on the way read another path."""
BOOLEANS = {"true": True, "false": False}


def percent_decoded(text: bytes) -> str:
    """The UTF-8 text behind percent encoding.

    Raises:
        ValueError: an escape is broken, the bytes are not UTF-8, or a NUL is among them.
    """
    if b"%" in text:
        if re.search(rb"%(?![0-9A-Fa-f]{2})", text):
            raise ValueError("has a broken percent escape")
        text = unquote_to_bytes(text)
    if b"\0" in text:
        raise ValueError("holds a NUL character")
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8") from None


def text_converter(parameter: Parameter) -> Callable[[str], Any]:
    """A function from a parameter's text to its value; it raises ``ValueError`` with the reason."""
    members = [member for member in union_members(parameter.type) if member is not types.NoneType]
    annotation: Any = members[0] if len(members) == 1 else parameter.type
    plain = bare(annotation)
    if plain is int:
        return _whole(annotation)
    if plain is bool:
        return _boolean
    return _converted(annotation)


def _whole(annotation: Any) -> Callable[[str], Any]:
    def whole(text: str) -> Any:
        if not WHOLE.match(text):
            raise ValueError("must be a whole number in digits")
        return _convert(int(text), annotation)

    return whole


def _boolean(text: str) -> bool:
    if text not in BOOLEANS:
        raise ValueError("must be true or false")
    return BOOLEANS[text]


def _converted(annotation: Any) -> Callable[[str], Any]:
    if annotation is str:
        return str
    wrong_end = stray_line_feed(annotation)

    def converted(text: str) -> Any:
        value = _convert(text, annotation)
        if wrong := wrong_end(text):
            raise ValueError(wrong)
        return value

    return converted


def _convert(value: Any, annotation: Any) -> Any:
    try:
        return msgspec.convert(value, annotation)
    except msgspec.ValidationError as error:
        literals = get_args(bare(annotation))
        known = f"; one of {', '.join(map(str, literals))}" if literals and "enum" in str(error) else ""
        raise ValueError(reason(error) + known) from None


class ParameterReader:
    """Reads one operation's path and query parameters into its argument list."""

    def __init__(self, operation: Operation) -> None:
        self._defaults = tuple(None if parameter.required else parameter.default for parameter in operation.parameters)
        in_path: list[str] = re.findall(r"\{(\w+)\}", operation.path)
        index = {parameter.name: number for number, parameter in enumerate(operation.parameters)}
        by_name = {parameter.name: parameter for parameter in operation.parameters}
        self._path = tuple((index[name], name, text_converter(by_name[name])) for name in in_path)
        self._query = {
            parameter.name: (index[parameter.name], text_converter(parameter), parameter.required)
            for parameter in operation.parameters
            if parameter.where == "query"
        }
        self._needed = frozenset(name for name, (_, _, required) in self._query.items() if required)

    def read(self, path_arguments: tuple[str, ...], query: bytes) -> list[Any]:
        """The arguments in the signature's order, defaults filled in, the body's place left None.

        Raises:
            InvalidParameters: every parameter that is missing, unknown, repeated or wrong.
        """
        arguments = list(self._defaults)
        wrong: list[Violation] = []
        for (position, name, convert), text in zip(self._path, path_arguments, strict=True):
            try:
                arguments[position] = convert(text)
            except ValueError as error:
                wrong.append(Violation(parameter=name, detail=str(error)))
        if query or self._needed:
            self._read_query(query, arguments, wrong)
        if wrong:
            raise InvalidParameters(tuple(wrong[:MOST_VIOLATIONS]))
        return arguments

    def _read_query(self, query: bytes, arguments: list[Any], wrong: list[Violation]) -> None:
        seen: set[str] = set()
        for pair in query.split(b"&") if query else ():
            if not pair:
                continue
            name = "?"
            raw_name, _, raw_value = pair.partition(b"=")
            try:
                name = percent_decoded(raw_name.replace(b"+", b" "))
                if name not in self._query:
                    raise ValueError("is not a parameter of this operation")
                if name in seen:
                    raise ValueError("came more than once")
                seen.add(name)
                position, convert, _ = self._query[name]
                arguments[position] = convert(percent_decoded(raw_value.replace(b"+", b" ")))
            except ValueError as error:
                wrong.append(Violation(parameter=name[:100], detail=str(error)))
        wrong.extend(Violation(parameter=name, detail="is required") for name in sorted(self._needed - seen))
