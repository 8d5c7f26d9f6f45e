"""The frame of every page, and the headers that keep it from loading anything from elsewhere."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

from governance.pages.html import Html, tag

STYLESHEET = (Path(__file__).parent / "style.css").read_bytes()
STYLESHEET_PATH = f"/docs/style-{blake2b(STYLESHEET, digest_size=6).hexdigest()}.css"
"""Its name changes with its content, so browsers may keep it."""

PAGE_HEADERS = (
    (b"content-security-policy", b"default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)


def page(title: str, *body: str, trail: tuple[tuple[str, str], ...] = ()) -> bytes:
    """A whole page. ``trail`` are the pages above it, each a path and a name."""
    steps = [tag("li", tag("a", name, href=path)) for path, name in (("/docs", "Tiergate"), *trail)]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} · Tiergate"),
        tag("link", rel="stylesheet", href=STYLESHEET_PATH),
    )
    frame = tag(
        "body",
        tag("a", "Skip to content", href="#content", class_="skip"),
        tag("header", tag("nav", tag("ol", *steps), aria_label="Where you are")),
        tag("main", tag("h1", title), *body, id="content"),
    )
    return Html("<!doctype html>\n" + tag("html", head, frame, lang="en") + "\n").encode()
