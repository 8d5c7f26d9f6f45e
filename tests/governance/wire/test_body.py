"""Strict bodies: what is refused with 400, what with 422, and how it is named."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Annotated, Any

import pytest
from msgspec import UNSET, Meta, Struct, UnsetType

from governance.contract.refusals import InvalidBody, MalformedRequest
from governance.wire.body import body_decoder
from governance.wire.shape import MOST_VIOLATIONS


class Part(Struct, frozen=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=10)]
    count: Annotated[int, Meta(ge=0, le=100)]


class Even(Struct, frozen=True):
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError("must be even")


class Whole(Struct, frozen=True, kw_only=True):
    part: Part
    parts: tuple[Part, ...] = ()
    tags: tuple[str, ...] = ()
    even: Even | None = None
    spare: Part | UnsetType = UNSET
    odd_name: str | None = None
    day: date | None = None
    at: datetime | None = None
    ratio: float = 0.0
    yes: bool = False
    pair: tuple[int, str] | None = None


class Named(Struct, frozen=True, rename={"value": "a/b~c"}):
    value: int


DECODE = body_decoder(Whole)
GOOD = {"part": {"name": "a", "count": 1}}


def refused(body: bytes) -> str:
    with pytest.raises(MalformedRequest) as caught:
        DECODE(body)
    return caught.value.detail


def violations(body: Any, annotation: Any = Whole) -> dict[str | None, str]:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(InvalidBody) as caught:
        body_decoder(annotation)(text)
    return {violation.pointer: violation.detail for violation in caught.value.violations}


def test_a_good_body_becomes_its_struct() -> None:
    assert DECODE(b' {"part": {"name": "\\u00fc", "count": 1}}\n') == Whole(part=Part(name="ü", count=1))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b'\xef\xbb\xbf{"part": 1}', id="byte order mark"),
        pytest.param('{"part": 1}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"part": "\xff"}', id="no UTF-8"),
        pytest.param(b'{"part": "\xc0\xaf"}', id="overlong slash"),
        pytest.param(b'{"part": "\xe0\x80\xaf"}', id="overlong slash in three"),
        pytest.param(b'{"part": "\xed\xa0\x80"}', id="surrogate as bytes"),
        pytest.param(b'{"part": "\xf4\x90\x80\x80"}', id="above U+10FFFF"),
        pytest.param(b'{"part": "\xe2\x82"}', id="cut off"),
        pytest.param(b'{"part": "\\ud800"}', id="lone high surrogate"),
        pytest.param(b'{"part": "\\ud800 and more text here"}', id="high surrogate before text"),
        pytest.param(b'{"part": "\\udc00"}', id="lone low surrogate"),
        pytest.param(b'{"part": "\\udc00\\ud800"}', id="surrogates the wrong way round"),
        pytest.param(b'{"\\ud800\\ud800": 1}', id="surrogates in a name"),
        pytest.param(b'{"part": "a\x00b"}', id="raw NUL"),
        pytest.param(b'{"part": "a\tb"}', id="raw tab in a string"),
        pytest.param(b'{"part": 1}\x00', id="NUL behind"),
        pytest.param(b'{"part": 1} {}', id="two values"),
        pytest.param(b'{"part": 1,}', id="trailing comma"),
        pytest.param(b"{'part': 1}", id="single quotes"),
        pytest.param(b'{"part": 1} // x', id="comment"),
        pytest.param(b'{"part": NaN}', id="NaN"),
        pytest.param(b'{"part": Infinity}', id="infinity"),
        pytest.param(b'{"part": 01}', id="leading zero"),
        pytest.param(b'{"part": +1}', id="plus"),
        pytest.param(b'{"part": .5}', id="no digit before the point"),
        pytest.param(b'{"part": 1e999}', id="a number beyond floats"),
        pytest.param(b'{"part": ' + b"9" * 5_000 + b"}", id="thousands of digits"),
        pytest.param(b'{"part": "\\x41"}', id="unknown escape"),
        pytest.param(b'{"part": "', id="open string"),
        pytest.param(b"part=1", id="a form"),
    ],
)
def test_what_is_no_json_in_utf_8_is_malformed(body: bytes) -> None:
    assert refused(body)


@pytest.mark.parametrize("depth", [200, 400, 500, 700, 900, 1_000, 5_000, 100_000])
@pytest.mark.parametrize(
    ("opening", "closing"),
    [(b"[", b"]"), (b'{"a":', b"}"), (b'{"tags":', b"}"), (b'{"even":', b"}"), (b'{"spare":{"name":', b"}}")],
)
def test_depth_is_never_an_error_of_ours(opening: bytes, closing: bytes, depth: int) -> None:
    body = opening * depth + b"1" + closing * depth
    with pytest.raises((MalformedRequest, InvalidBody)) as caught:
        DECODE(body)
    if depth >= 5_000:
        assert caught.type is MalformedRequest
        assert "deep" in caught.value.detail


@pytest.mark.parametrize(
    "body",
    [
        b'{"part": {"name": "a", "count": 1}, "part": {"name": "a", "count": 1}}',
        b'{"part": {"name": "a", "name": "b", "count": 1}}',
        b'{"part": {"name": "a", "\\u006eame": "b", "count": 1}}',
        b'{"part": {"name": "a", "count": 1}, "parts": [{"name": "a", "count": 1}, {"count": 1, "name": "a", "count": 2}]}',
        b'{"part": {"name": "a", "count": 1}, "unknown": {"deep": [{"x": 1, "x": 2}]}}',
        b'{"part": {"name": ":", "count": 1, "name": "::"}}',
        b'{"part": {"name": "\\":\\"", "count": 1, "count": 1}}',
        b'{"part": "wrong type", "tags": [{"x": 1, "x": 1}]}',
    ],
)
def test_a_name_twice_is_malformed_at_every_depth(body: bytes) -> None:
    assert "twice" in refused(body)


def test_colons_and_quotes_in_strings_are_no_members() -> None:
    whole = {"part": {"name": '":"\\', "count": 1}, "at": "2026-01-01T12:30:00Z", "odd_name": '{"a":1,"a":2}'}
    assert DECODE(json.dumps(whole).encode()).part.name == '":"\\'


@pytest.mark.parametrize("number", ["1.0", "1e2", '"1"', "true", "null", "[1]", "1.5", "-1", "101", str(10**30)])
def test_whole_numbers_are_whole_numbers_only(number: str) -> None:
    assert list(violations(b'{"part": {"name": "a", "count": %b}}' % number.encode())) == ["/part/count"]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("yes", 1),
        ("yes", "true"),
        ("ratio", "1.5"),
        ("tags", "a"),
        ("tags", {}),
        ("day", "2026-02-30"),
        ("day", 5),
        ("day", "2026-1-1"),
        ("at", "yesterday"),
        ("at", 1_700_000_000),
        ("part", []),
        ("odd_name", 7),
        ("pair", [1]),
        ("pair", ["a", "b"]),
    ],
)
def test_nothing_is_coerced(member: str, value: Any) -> None:
    assert list(violations({**GOOD, member: value})) == [f"/{member}"]


def test_every_violation_is_named_with_its_pointer() -> None:
    body = {
        "part": {"count": "1", "extra": 1},
        "parts": [{"name": "", "count": 1}, {"name": "a", "count": 101}, 7],
        "tags": ["a", 1],
        "even": {"number": 3},
        "spare": {"name": "a", "count": 1, "colour": "red"},
        "nobody": {"knows": "me"},
    }
    assert violations(body) == {
        "/part/name": "is required",
        "/part/count": "expected int, got str",
        "/part/extra": "is not a member of this request",
        "/parts/0/name": "expected str of length >= 1",
        "/parts/1/count": "expected int <= 100",
        "/parts/2": "expected object, got int",
        "/tags/1": "expected str, got int",
        "/even": "must be even",
        "/spare/colour": "is not a member of this request",
        "/nobody": "is not a member of this request",
    }


def test_unknown_members_alone_are_refused() -> None:
    assert violations({**GOOD, "constructor": {}, "": 1}) == {
        "/constructor": "is not a member of this request",
        "/": "is not a member of this request",
    }


def test_pointers_are_escaped_by_rfc_6901() -> None:
    assert violations({"a/b~c": "x", "~/": 1}, Named) == {
        "/a~1b~0c": "expected int, got str",
        "/~0~1": "is not a member of this request",
    }


@pytest.mark.parametrize("body", [b"[]", b"7", b'"text"', b"null", b"true"])
def test_a_body_that_is_no_object_is_named_as_the_whole(body: bytes) -> None:
    assert list(violations(body)) == [""]


def test_nul_characters_are_named_where_they_stand() -> None:
    assert violations(b'{"part": {"name": "a\\u0000b", "count": 1}, "tags": ["a", "\\u0000"]}') == {
        "/part/name": "holds a NUL character (\\u0000)",
        "/tags/1": "holds a NUL character (\\u0000)",
    }
    assert "/part" in violations(b'{"part": {"name": "a", "count": 1, "\\u0000": 1}}')


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert DECODE(b'{"part": {"name": "\\\\u0000", "count": 1}}').part.name == "\\u0000"


@pytest.mark.parametrize(
    "body",
    [
        {"part": GOOD["part"], "tags": [1] * 500},
        {"part": GOOD["part"], **{f"x{n}": n for n in range(500)}},
        {"part": GOOD["part"], "tags": [1] * 500, **{f"x{n}": n for n in range(500)}},
        {"part": GOOD["part"], "tags": ["\0"] * 500},
    ],
)
def test_the_number_of_violations_reported_is_bounded(body: Any) -> None:
    assert len(violations(body)) == MOST_VIOLATIONS


def test_a_refusal_is_not_blown_up_by_long_names() -> None:
    body = json.dumps({**GOOD, "n" * 10_000: ["\0"] * 500}).encode()
    with pytest.raises(InvalidBody) as caught:
        DECODE(body)
    assert sum(len(violation.pointer or "") for violation in caught.value.violations) < 2 * len(body)


class Cat(Struct, frozen=True, tag="cat", tag_field="kind", forbid_unknown_fields=True):
    part: Part


class Dog(Struct, frozen=True, tag="dog", tag_field="kind", forbid_unknown_fields=True):
    even: Even


class Kennel(Struct, frozen=True):
    animal: Cat | Dog


def test_a_struct_of_several_is_told_by_its_tag_at_every_depth() -> None:
    decode = body_decoder(Kennel)
    assert decode(b'{"animal": {"kind": "dog", "even": {"number": 2}}}') == Kennel(Dog(Even(2)))
    unknown = {"animal": {"kind": "cat", "part": {"name": "a", "count": 1, "more": 1}}}
    assert violations(unknown, Kennel) == {"/animal/part/more": "is not a member of this request"}
    other = {"animal": {"kind": "dog", "part": {"name": "a", "count": 1}, "even": {"number": 2}}}
    assert violations(other, Kennel) == {"/animal/part": "is not a member of this request"}
    assert violations({"animal": {"kind": "fish", "part": {}}}, Kennel) == {"/animal": "invalid value 'fish'"}
    assert violations({"animal": {"kind": ["cat"]}}, Kennel)
    with pytest.raises(MalformedRequest):
        decode(b'{"animal": {"kind": "cat", "kind": "dog", "even": {"number": 2}}}')
