"""The named stages of a call, in the order in which a request meets them, the same in every binding.

``record`` and ``annotate`` stand outermost, so that they also see what an inner stage refused.
"""

from __future__ import annotations

from enum import IntEnum


class Stage(IntEnum):
    """Where a policy stands. A lower number is nearer to the caller."""

    RECORD = 1
    """Span, counters, audit entry, evidence."""
    ANNOTATE = 2
    """Correlation, rate limit, deprecation and entity-tag headers, on refusals too."""
    ADMIT = 3
    """Framing, size, content type, accept, unknown query parameters."""
    IDENTIFY = 4
    """Bearer token to principal; a local call carries the calling API's identity."""
    AUTHORIZE = 5
    """Scope, audience, edge rule, ownership of the path's arguments."""
    LIMIT = 6
    """Rate and quota by client."""
    DECODE = 7
    """Bytes to Structs, reporting every violation."""
    REPLAY = 8
    """Idempotency: claim, conflict or the stored answer."""
    EXECUTE = 9
    """The implementation, and ownership of arguments and result."""
