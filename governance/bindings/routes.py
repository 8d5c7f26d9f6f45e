"""The table of operations: path segments to handlers, in front of any framework's router.

A path is matched on its raw bytes, segment by segment, so an encoded slash stays inside its
segment and no path is read in two ways. What no operation has is told apart: unknown path (404),
unknown method (405 with ``Allow``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.call.exchange import Handler
from governance.contract.operation import Operation
from governance.contract.problems import Violation
from governance.contract.refusals import InvalidParameters
from governance.wire.parameters import DOT_SEGMENTS, percent_decoded


class Place:
    """One node of the table: literal continuations, one parameter, and the methods that end here."""

    __slots__ = ("allow", "literals", "methods", "parameter")

    def __init__(self) -> None:
        self.literals: dict[bytes, Place] = {}
        self.parameter: Place | None = None
        self.methods: dict[str, tuple[Operation, Handler]] = {}
        self.allow = b""

    def seal(self) -> None:
        """Write down what ``Allow`` says here and below (RFC 9110 §10.2.1)."""
        methods = set(self.methods)
        if methods:
            methods |= {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        self.allow = ", ".join(sorted(methods)).encode()
        for place in (*self.literals.values(), *((self.parameter,) if self.parameter else ())):
            place.seal()


class Routes:
    """Finds the place of a path. Sealed after the last operation was added."""

    def __init__(self) -> None:
        self._root = Place()
        self.roots: frozenset[bytes] = frozenset()

    def add(self, operation: Operation, handler: Handler) -> None:
        """Serve ``operation`` by ``handler``."""
        place = self._root
        for segment in operation.path.strip("/").split("/"):
            if segment.startswith("{"):
                place.parameter = place.parameter or Place()
                place = place.parameter
            else:
                place = place.literals.setdefault(segment.encode(), Place())
        place.methods[operation.method] = (operation, handler)

    def seal(self) -> None:
        """Finish the table."""
        self._root.seal()
        self.roots = frozenset(self._root.literals)

    def find(self, raw_path: bytes) -> tuple[Place, list[bytes]] | None:
        """The place of a path and the raw text of its parameters, or None."""
        place = self._root
        found: list[bytes] = []
        for segment in raw_path[1:].split(b"/"):
            following = place.literals.get(segment)
            if following is None:
                following = place.parameter
                if following is None or not segment:
                    return None
                found.append(segment)
            place = following
        return (place, found) if place.methods else None


def path_texts(raw: list[bytes]) -> tuple[str, ...]:
    """The percent-decoded texts of path parameters.

    Raises:
        InvalidParameters: one is not percent-encoded UTF-8, or a dot segment.
    """
    try:
        texts = tuple([percent_decoded(text) for text in raw])
        if DOT_SEGMENTS.isdisjoint(texts):
            return texts
        raise ValueError("is a dot segment")
    except ValueError as error:
        raise InvalidParameters((Violation(parameter="path", detail=str(error)),)) from None


def scope_raw_path(scope: Mapping[str, Any]) -> bytes:
    """The path's bytes as they came, without the query."""
    raw: bytes | None = scope.get("raw_path")
    return (raw if raw else scope["path"].encode()).partition(b"?")[0]
