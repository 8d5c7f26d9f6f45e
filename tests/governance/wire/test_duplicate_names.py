"""Duplicate names are found exactly: the fast count against the language's own parser."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from governance.contract.refusals import InvalidBody, MalformedRequest
from governance.wire.body import body_decoder, parse
from governance.wire.shape import count_members, has_duplicate_names

NAMES = st.one_of(st.sampled_from(["a", "b", ":", '"', "\\", '":"', "\\u0061", ""]), st.text(max_size=3))


class Pairs(list[tuple[str, Any]]):
    """An object as written: names may come twice."""


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), NAMES)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.lists(st.tuples(NAMES, inner), max_size=4).map(Pairs)),
    max_leaves=12,
)


def written(value: Any, *, ascii_only: bool) -> str:
    """JSON text that keeps every pair."""
    if isinstance(value, Pairs):
        pairs = (
            f"{json.dumps(name, ensure_ascii=ascii_only)}: {written(item, ascii_only=ascii_only)}"
            for name, item in value
        )
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + " , ".join(written(item, ascii_only=ascii_only) for item in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_only)


def reference(text: str) -> bool:
    """Whether the standard library's parser sees a name twice in one object."""
    found = False

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        found = found or len(dict(members)) != len(members)
        return dict(members)

    json.loads(text, object_pairs_hook=pairs)
    return found


@settings(deadline=None)
@given(VALUES, st.booleans())
def test_the_count_finds_exactly_what_a_parser_finds(value: Any, ascii_only: bool) -> None:
    text = written(value, ascii_only=ascii_only)
    body = text.encode()
    assert has_duplicate_names(body, count_members(parse(body))) == reference(text)


class Leaf(Struct, frozen=True):
    a: str | None = None
    b: tuple[Any, ...] = ()


class Tree(Struct, frozen=True):
    a: Leaf | None = None
    b: tuple[Leaf, ...] = ()


DECODE = body_decoder(Tree)


@settings(deadline=None)
@given(VALUES, st.booleans())
def test_the_typed_walk_counts_alike_whatever_comes(value: Any, ascii_only: bool) -> None:
    text = written(value, ascii_only=ascii_only)
    try:
        DECODE(text.encode())
        twice = False
    except InvalidBody:
        twice = False
    except MalformedRequest:
        twice = True
    assert twice == reference(text)
