"""Derived keys: the same letters in every release, by RFC 4648's own encoder."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.call import child_key, derive_key, edge_key

PARTS = st.lists(
    st.one_of(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.integers()), min_size=1
)


@pytest.mark.parametrize(
    ("key", "letters"),
    [
        (derive_key("a"), "ZKLYCEWKDO64V6WCGGZZUI64JW"),
        (derive_key("a", "b", 1), "PBFOH4KK4OSCETXODTF2IQQIDC"),
        (edge_key("c", "A", "op", "key"), "JR6GHKLLRFGLNP344Q2IGIV7OD"),
        (child_key("parent-key", "shelves.v1.add_book", "1"), "KIICTRQ3N7JQ2HUNX7AFO4RIPS"),
        (child_key("parent-key", "shelves.v1.add_book", "reserve", 2), "4PKOQHGEQAZWYZLHPUZ75IZAUX"),
    ],
)
def test_keys_never_change_between_releases(key: str, letters: str) -> None:
    assert key == letters


@settings(deadline=None)
@given(PARTS)
def test_a_key_is_the_beginning_of_a_base32_digest(parts: list[str | int]) -> None:
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    assert derive_key(*parts) == base64.b32encode(digest).decode()[:26]


@settings(deadline=None)
@given(PARTS, PARTS)
def test_other_parts_are_other_keys(one: list[str | int], other: list[str | int]) -> None:
    assert (derive_key(*one) == derive_key(*other)) == ([*map(str, one)] == [*map(str, other)])


def test_every_part_of_an_effect_makes_another_key() -> None:
    keys = {
        child_key("p", "o", "s", 0),
        child_key("q", "o", "s", 0),
        child_key("p", "x", "s", 0),
        child_key("p", "o", "t", 0),
        child_key("p", "o", "s", 1),
        edge_key("p", "o", "s", "0"),
        edge_key("q", "o", "s", "0"),
        edge_key("p", "x", "s", "0"),
    }
    assert len(keys) == 8
