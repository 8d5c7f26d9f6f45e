"""Markup that can't be broken by what it shows: children that are not ``Html`` are escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

CODE = re.compile(r"`([^`]+)`")
VOID = frozenset({"link", "meta", "br", "input"})


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(element: str, /, *children: str, **attributes: str) -> Html:
    """An element. Attributes are written ``class_``, ``aria_label``; text children are escaped."""
    written = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    if element in VOID:
        return Html(f"<{element}{written}>")
    return Html(f"<{element}{written}>{join(children)}</{element}>")


def join(children: Iterable[str], between: str | Html = "") -> Html:
    """Children one after another, escaped where they are text."""
    return Html(between.join(child if isinstance(child, Html) else escape(child) for child in children))


def code(text: str) -> Html:
    """Text as code."""
    return tag("code", text)


def prose(text: str) -> Html:
    """Paragraphs of a description, with code between backticks."""
    return join(tag("p", inline(paragraph)) for paragraph in re.split(r"\n\s*\n", text.strip()) if paragraph)


def inline(text: str) -> Html:
    """One line of a description, with code between backticks."""
    parts = CODE.split(text)
    return join(code(part) if index % 2 else part for index, part in enumerate(parts))


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Html:
    """A table that scrolls by itself on a narrow screen; the first cell of a row is its head."""
    head = tag("tr", *(tag("th", one, scope="col") for one in heads))
    body = [tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows]
    whole = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))
    return tag("div", whole, class_="scroll", role="region", aria_label=caption, tabindex="0")
