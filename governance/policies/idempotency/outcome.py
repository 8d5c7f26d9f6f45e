"""What is stored under a key: the answer of a first request, or the business refusal it ended with.

An answer keeps status, body and the service's own headers. A refusal keeps its type and members
and is raised again, so that request id and everything that annotate adds are those of the repeat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from governance.call import Answer
from governance.contract.problems import Problem, Refusal

NEVER_STORED = frozenset({400, 401, 403, 429})
"""Refused before or beside the work: the next try may end differently."""


class StoredAnswer(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """A success."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class StoredRefusal(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """A business refusal."""

    kind: str
    status: int
    title: str
    detail: str
    members: dict[str, Any]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(StoredAnswer | StoredRefusal)


def outcome_of(result: Answer | Refusal) -> bytes | None:
    """The stored form of how a request ended; None where that must not be stored."""
    if isinstance(result, Answer):
        if not 200 <= result.status <= 299:
            return None
        return _encoder.encode(StoredAnswer(result.status, result.headers, result.body))
    if result.status in NEVER_STORED or result.status >= 500:
        return None
    return _encoder.encode(StoredRefusal(result.type, result.status, result.title, result.detail, result.members()))


def replay(stored: bytes, refusals: Mapping[str, type[Problem]]) -> Answer:
    """The stored answer. ``refusals`` are the operation's own by type.

    Raises:
        Refusal: the first request ended with this one.
    """
    outcome = _decoder.decode(stored)
    if isinstance(outcome, StoredAnswer):
        return Answer(outcome.status, outcome.headers, outcome.body)
    refusal = refusals.get(outcome.kind)
    if refusal is not None:
        raise refusal.from_members(outcome.detail, outcome.members)
    # A release since then dropped the class: what was answered then is still the answer.
    document = {"type": f"/problems/{outcome.kind}", "title": outcome.title, "status": outcome.status}
    body = msgspec.json.encode({**document, "detail": outcome.detail, **outcome.members})
    return Answer(outcome.status, ((b"content-type", b"application/problem+json"),), body)
