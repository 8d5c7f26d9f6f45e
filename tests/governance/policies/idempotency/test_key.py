"""The header: draft-ietf-httpapi-idempotency-key-header-07 §2.1 with RFC 9651 strings, lenient on quotes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.contract.refusals import InvalidIdempotencyKey, MissingIdempotencyKey
from governance.policies.idempotency.key import PATTERN, parse_key

printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (b'"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        (b"8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        (b' \t"k" ', "k"),
        (b'"a b"', "a b"),
        (b'"a\\"b\\\\c"', 'a"b\\c'),
        (b"a,b;c", "a,b;c"),
        (b'"k";v=1', "k"),
        (b'"k"; v="x"; w;z=?1', "k"),
        (b'"' + b"k" * 255 + b'"', "k" * 255),
        (b"k" * 255, "k" * 255),
        (b"2", "2"),
    ],
)
def test_keys(value: bytes, key: str) -> None:
    assert parse_key(value) == key


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b'""',
        b'"',
        b'"open',
        b'open"ed" twice',
        b'"a" "b"',
        b'"a", "b"',
        b"a, b",
        b"a b",
        b'"tab\t"',
        b'"bad\\escape"',
        b'"caf\xc3\xa9"',
        b"caf\xe9",
        b"\x00",
        b'"k";V=1',
        b'"' + b"k" * 256 + b'"',
        b"k" * 256,
    ],
)
def test_what_is_no_key(value: bytes) -> None:
    with pytest.raises(InvalidIdempotencyKey):
        parse_key(value)


def test_no_header() -> None:
    with pytest.raises(MissingIdempotencyKey):
        parse_key(None)


@given(printable)
def test_every_printable_text_can_be_a_key(key: str) -> None:
    value = '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert parse_key(value.encode()) == key
    assert re.match(PATTERN, value)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_key_or_refused(value: bytes) -> None:
    try:
        key = parse_key(value)
    except InvalidIdempotencyKey:
        return
    assert 1 <= len(key) <= 255
    assert key.isascii()
    assert key.isprintable()


@given(st.from_regex(PATTERN, fullmatch=True))
def test_what_the_document_allows_is_accepted(value: str) -> None:
    assert parse_key(value.encode())
