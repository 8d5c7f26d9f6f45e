"""Markup can't be broken by the text that it shows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from governance.pages import Html, code, inline, join, page, prose, table, tag


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "a < b & c", code("<x>")) == "<p>a &lt; b &amp; c<code>&lt;x&gt;</code></p>"


def test_attributes_are_escaped_and_named_as_in_html() -> None:
    assert tag("a", "x", href='/?"&', class_="k", aria_label="l") == (
        '<a href="/?&quot;&amp;" class="k" aria-label="l">x</a>'
    )


def test_void_elements_have_no_end() -> None:
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8">'


def test_descriptions_have_paragraphs_and_code() -> None:
    assert prose("One `a<b`.\n\nTwo.") == "<p>One <code>a&lt;b</code>.</p><p>Two.</p>"
    assert inline("x `y`") == "x <code>y</code>"
    assert prose("") == ""


def test_what_stands_between_children_may_be_markup() -> None:
    assert join(["a<", "b"], Html("/<wbr>")) == "a&lt;/<wbr>b"


def test_a_table_has_a_caption_and_heads() -> None:
    made = table("Rooms", ("Code", "Floor"), [("attic", "3")])
    assert "<caption>Rooms</caption>" in made
    assert '<th scope="row">attic</th><td>3</td>' in made


@given(st.text())
def test_no_text_breaks_a_page(text: str) -> None:
    made = page(text, prose(text), code(text)).decode("utf-8", "surrogatepass")
    assert made.count("<main") == made.count("</main>") == made.count("<h1>") == 1
