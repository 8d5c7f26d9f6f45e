"""Headers that every answer of an operation carries, made once at start-up.

A body is never run, framed or guessed at by a browser (the Fetch standard's ``nosniff``, CSP level 3),
no shared cache keeps it, and what a private one keeps is asked for again with its entity tag
(RFC 9111 §5.2.2). Refusals and answers to changes are kept by nobody. A gateway whose public address
is https says that it always will be (RFC 6797 §6.1).
"""

from __future__ import annotations

Pairs = tuple[tuple[bytes, bytes], ...]

HARDENING: Pairs = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
TRANSPORT: Pairs = ((b"strict-transport-security", b"max-age=31536000"),)
REVALIDATED = (b"cache-control", b"private, no-cache")
UNSTORED = (b"cache-control", b"no-store")


def standing_headers(*, https: bool, readable: bool) -> Pairs:
    """The headers of a gateway that is reached by TLS or not; ``readable`` for successes of reads."""
    return (*HARDENING, *(TRANSPORT if https else ()), REVALIDATED if readable else UNSTORED)
