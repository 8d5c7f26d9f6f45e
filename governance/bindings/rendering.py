"""Answers: results and problems as bytes. RFC 9457 (application/problem+json), RFC 9110 §8.8.3 (ETag)."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any
from urllib.parse import quote

import msgspec

from governance.call.exchange import Answer, Headers
from governance.contract.problems import Problem

JSON_HEADER = (b"content-type", b"application/json")
PROBLEM_HEADER = (b"content-type", b"application/problem+json")

IN_PATHS = "/%:@!$&'()*+,;="
"""What RFC 3986 §3.3 lets stand in a path besides letters and digits; escapes stay as they came."""

encoder = msgspec.json.Encoder()


def problem_answer(problem: Problem, *, instance: str, request_id: str) -> Answer:
    """The problem as an answer. ``instance`` is the path that was asked for, as it came."""
    document: dict[str, Any] = {
        "type": f"/problems/{problem.type}",
        "title": problem.title,
        "status": problem.status,
    }
    if problem.detail:
        document["detail"] = problem.detail
    document["instance"] = quote(instance, safe=IN_PATHS, encoding="latin-1", errors="replace")
    document["request_id"] = request_id
    document["retryable"] = problem.retryable
    document.update(problem.members())
    violations = getattr(problem, "violations", ())
    if violations:
        document["errors"] = violations
    return Answer(status=problem.status, headers=(PROBLEM_HEADER,), body=encoder.encode(document))


def entity_tag(result: Any, body: bytes) -> bytes:
    """A strong tag: the record's own revision where it has one, otherwise a digest of the bytes."""
    revision = getattr(result, "revision", None)
    if revision is not None:
        return b'"%s"' % str(revision).encode()
    return b'"%s"' % blake2b(body, digest_size=12).hexdigest().encode()


def header(headers: Headers | tuple[tuple[bytes, bytes], ...], name: bytes) -> bytes | None:
    """The first value of a header, or None."""
    return next((value for key, value in headers if key == name), None)
