"""Content negotiation: what a body may be (415) and what an answer may be (406).

RFC 9110 §8.3 (Content-Type), §8.4 (Content-Encoding), §12.5.1 (Accept). Header values repeat, so
each judgement is remembered; the memory is bounded.
"""

from __future__ import annotations

from functools import lru_cache

JSON = ("application", "json")


@lru_cache(maxsize=256)
def is_json(content_type: bytes) -> bool:
    """Whether a Content-Type is ``application/json``, in UTF-8 where it says a charset."""
    media, *parameters = content_type.decode("latin-1").lower().split(";")
    if media.strip() != "application/json":
        return False
    charsets = [
        value.strip().partition("=")[2].strip('"') for value in parameters if value.strip().startswith("charset=")
    ]
    return all(charset in ("utf-8", "utf8") for charset in charsets)


@lru_cache(maxsize=256)
def accepts_json(accept: bytes) -> bool:
    """Whether an Accept header admits ``application/json`` (quality above zero, most specific range wins).

    An empty header says nothing, so it admits everything.
    """
    text = accept.decode("latin-1").lower()
    if not text.strip(" \t,"):
        return True
    best: tuple[int, float] | None = None
    for entry in text.split(","):
        media, *parameters = (part.strip() for part in entry.split(";"))
        kind, _, subtype = media.partition("/")
        rank = {("*", "*"): 0, ("application", "*"): 1, JSON: 2}.get((kind, subtype))
        if rank is None:
            continue
        quality = _quality(parameters)
        if best is None or rank > best[0] or (rank == best[0] and quality > best[1]):
            best = (rank, quality)
    return best is not None and best[1] > 0


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
