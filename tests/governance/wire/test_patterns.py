"""A pattern's ``$`` is the end of the text, as it is in the published document."""

from __future__ import annotations

from typing import Annotated, Any, get_type_hints

import pytest
from msgspec import Meta, Struct

from governance.contract.operation import Parameter
from governance.contract.refusals import InvalidBody
from governance.wire.body import body_decoder
from governance.wire.parameters import text_converter
from governance.wire.patterns import stray_line_feed

Code = Annotated[str, Meta(pattern=r"^[a-z]+$")]
SAID = "expected str matching regex '^[a-z]+$'"


class Entry(Struct, frozen=True):
    code: Code
    other: Code | None = None
    more: tuple[Code, ...] = ()


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b'{"code": "a\\n"}', ["/code"]),
        (b'{"code": "a", "other": "b\\n"}', ["/other"]),
        (b'{"code": "a", "more": ["b", "c\\n"]}', ["/more/1"]),
        (b'{"code": "a\\n", "more": ["b\\n"]}', ["/code", "/more/0"]),
    ],
)
def test_a_line_feed_at_the_end_of_a_member_is_no_part_of_it(body: bytes, pointers: list[str]) -> None:
    with pytest.raises(InvalidBody) as caught:
        body_decoder(Entry)(body)
    assert [(one.pointer, one.detail) for one in caught.value.violations] == [(place, SAID) for place in pointers]


@pytest.mark.parametrize("annotation", [Code, get_type_hints(Entry, include_extras=True)["other"]])
def test_a_line_feed_at_the_end_of_a_parameter_is_no_part_of_it(annotation: Any) -> None:
    convert = text_converter(Parameter(name="code", where="query", type=annotation))
    assert convert("a") == "a"
    with pytest.raises(ValueError, match=r"expected str matching regex"):
        convert("a\n")


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (str, "a\n"),
        (Annotated[str, Meta(max_length=9)], "a\n"),
        (Annotated[str, Meta(pattern=r"^a\n$")], "a\n"),
        (Annotated[str, Meta(pattern=r"^a\s*$")], "a\n"),
        (Annotated[str, Meta(pattern=r"^a\$")], "a$\n"),
        (Annotated[str, Meta(pattern=r"^a")], "a\n"),
        (Code, "a"),
    ],
)
def test_a_line_feed_that_the_pattern_means_stays(annotation: Any, text: str) -> None:
    assert stray_line_feed(annotation)(text) == ""
