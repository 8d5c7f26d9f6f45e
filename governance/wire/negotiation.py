"""Content negotiation: what a body may be (415) and what an answer may be (406).

RFC 9110 §8.3 (Content-Type), §8.4 (Content-Encoding), §12.5.1 (Accept). Header values repeat, so
each judgement is remembered; the memory is bounded.
"""

from __future__ import annotations

from functools import lru_cache


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
    if not accept.strip(b" \t,"):
        return True
    return liking(accept, "application/json") > 0


@lru_cache(maxsize=256)
def accepts_stream(accept: bytes) -> bool:
    """Whether an Accept header admits ``text/event-stream``."""
    return not accept.strip(b" \t,") or liking(accept, "text/event-stream") > 0


def liking(accept: bytes, media_type: str) -> float:
    """The quality from 0 to 1 that an Accept header gives a media type; the most specific range decides."""
    wanted = media_type.partition(";")[0]
    kind = wanted.partition("/")[0]
    best = (-1, 0.0)
    for entry in accept.decode("latin-1").lower().split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        rank = {"*/*": 0, f"{kind}/*": 1, wanted: 2}.get(name)
        if rank is not None:
            best = max(best, (rank, _quality(parameters)))
    return best[1]


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
