r"""Patterns to their last character: a ``$`` that means the end.

A pattern is published as ECMA-262 (JSON Schema 2020-12 §6.3.3), where ``$`` is the very end of the
text. Python's ``$``, by which msgspec judges, also matches before a line feed that ends the text:
``"PO-1\n"`` would pass as a reference. Texts that end so are judged once more, with ``\Z``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin

from msgspec import Meta

END = re.compile(r"(?<!\\)(?:\\\\)*\$\Z")


def stray_line_feed(annotation: Any) -> Callable[[str], str]:
    """A function from a text that msgspec passes to what is wrong with its end; empty where nothing is."""
    strict = [(pattern, re.compile(pattern[:-1] + r"\Z")) for pattern in _patterns(annotation) if END.search(pattern)]

    def judge(text: str) -> str:
        for pattern, exact in strict if text[-1:] == "\n" else ():
            if not exact.search(text):
                return f"expected str matching regex {pattern!r}"
        return ""

    return judge


def has_pattern(annotation: Any) -> bool:
    """Whether a type is text under a pattern."""
    return bool(_patterns(annotation))


def _patterns(annotation: Any) -> tuple[str, ...]:
    notes = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return tuple(note.pattern for note in notes if isinstance(note, Meta) and note.pattern)
