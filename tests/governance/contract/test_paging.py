"""Cursors: they go on where a page ended, and are refused anywhere else."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.contract import Cursor, CursorCodec, Page
from governance.contract.refusals import InvalidParameters

CODEC = CursorCodec(b"a key of thirty-two bytes, as said")
LISTING = "erp.v1.list_products"
FILTERS = ("bearing", None, "active")


def cursor() -> str:
    return CODEC.encode(LISTING, FILTERS, ("BRG-1", 7))


def flipped(position: int) -> Callable[[str], str]:
    def flip(text: str) -> str:
        raw = bytearray(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        raw[position] ^= 1
        return urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()

    return flip


def test_a_cursor_comes_back_as_the_last_key() -> None:
    assert CODEC.decode(LISTING, FILTERS, cursor()) == ("BRG-1", 7)


def test_there_is_no_last_key_before_the_first_page() -> None:
    assert CODEC.decode(LISTING, FILTERS, None) is None


def test_a_cursor_keeps_to_what_the_parameter_admits() -> None:
    assert msgspec.convert(cursor(), Cursor) == cursor()


@pytest.mark.parametrize(
    "tamper",
    [
        flipped(0),
        flipped(15),
        flipped(16),
        flipped(-1),
        lambda text: text[:-4],
        lambda text: text + "AAAA",
        lambda text: text[:20],
        lambda text: "",
        lambda text: "A",
        lambda text: "ümlaut",
        lambda text: "A" * 1_000,
    ],
)
def test_a_cursor_that_was_tampered_with_is_refused(tamper: Callable[[str], str]) -> None:
    with pytest.raises(InvalidParameters) as refused:
        CODEC.decode(LISTING, FILTERS, tamper(cursor()))
    assert refused.value.violations[0].parameter == "cursor"


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidParameters):
        CODEC.decode("erp.v2.list_products", FILTERS, cursor())


@pytest.mark.parametrize("filters", [(), ("bearing", None), ("bearing", "active", None), (None, "bearing", "active")])
def test_a_cursor_under_other_filters_is_refused(filters: tuple[object, ...]) -> None:
    with pytest.raises(InvalidParameters):
        CODEC.decode(LISTING, filters, cursor())


def test_a_cursor_of_another_key_is_refused() -> None:
    with pytest.raises(InvalidParameters):
        CursorCodec(b"another key").decode(LISTING, FILTERS, cursor())


@given(st.text())
def test_no_text_is_a_cursor_by_chance(text: str) -> None:
    with pytest.raises(InvalidParameters):
        CODEC.decode(LISTING, FILTERS, text)


@given(st.lists(st.text() | st.integers(-(2**63), 2**63 - 1), max_size=4))
def test_any_key_comes_back(key: list[str | int]) -> None:
    assert CODEC.decode(LISTING, FILTERS, CODEC.encode(LISTING, FILTERS, tuple(key))) == tuple(key)


@pytest.mark.parametrize(("read", "items", "more"), [(0, 0, False), (2, 2, False), (3, 3, False), (4, 3, True)])
def test_a_page_goes_on_where_one_row_more_was_read(read: int, items: int, more: bool) -> None:
    page = CODEC.page(LISTING, FILTERS, list(range(read)), 3, lambda row: (row,))
    assert len(page.items) == items
    assert (page.next_cursor is not None) is more
    assert CODEC.decode(LISTING, FILTERS, page.next_cursor) == ((2,) if more else None)


def test_pages_reach_every_row_once() -> None:
    rows = [f"SKU-{number:03}" for number in range(25)]
    seen: list[str] = []
    page: Page[str] | None = None
    while page is None or page.next_cursor:
        after = CODEC.decode(LISTING, FILTERS, page.next_cursor if page else None)
        rest = [row for row in rows if after is None or row > str(after[0])]
        page = CODEC.page(LISTING, FILTERS, rest[:8], 7, lambda row: (row,))
        seen.extend(page.items)
    assert seen == rows
