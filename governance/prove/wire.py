"""What the binding itself refuses, on every operation: requests that are not well formed, before any effect.

Controls ``WI-…``. Standards: RFC 9110 (methods, negotiation, conditional requests), RFC 9457,
RFC 8259 §4 (names within an object), RFC 3986 §2.1 and §3.3 (escapes and dot segments).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from governance.call import Probe
from governance.contract import refusals
from governance.contract.operation import Operation, Parameter
from governance.contract.problems import Problem
from governance.prove.faults import Rule, faults, wrong_text
from governance.prove.requests import Raw, sample_text

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
MOST_CASES = 6
"""Places at which one rule of a body is broken, besides one in each of its members."""
BROKEN: Mapping[str, bytes] = {
    "empty": b"",
    "cut off": b'{"a": 1',
    "not UTF-8": b'{"a": "\xff"}',
    "the same name twice": b'{"a": 1, "a": 2}',
    "two values": b"{} {}",
}
RULES: Mapping[Rule, tuple[str, str]] = {
    "missing": ("WI-021", "A body without a required member is refused"),
    "unknown": ("WI-022", "A body with a member that nobody knows is refused"),
    "kind": ("WI-023", "A body with a member of another kind is refused"),
    "pattern": ("WI-024", "A text that breaks its pattern is refused"),
    "length": ("WI-025", "A text that is too short or too long is refused"),
    "bound": ("WI-026", "A number beyond its bounds is refused"),
    "step": ("WI-027", "A number between its steps is refused"),
    "choice": ("WI-028", "A word that is no choice is refused"),
    "count": ("WI-029", "A list with too few or too many items is refused"),
    "nul": ("WI-030", "A text with a NUL character is refused"),
}


def wire_probes(
    operation: Operation, others: Iterable[Operation], *, max_body_bytes: int, max_uri_bytes: int
) -> Iterator[Probe]:
    """The probes of one operation; ``others`` are all operations that are served beside it."""
    yield from _request_line(operation, others, max_uri_bytes)
    yield from _parameters(operation)
    if operation.body is None:
        yield _refused(
            "WI-015", "A body that the operation does not take is refused", refusals.MalformedRequest, body=b"{}"
        )
    else:
        yield from _body(operation, operation.body, max_body_bytes)
    if operation.conditional:
        yield from _conditions()


def _request_line(operation: Operation, others: Iterable[Operation], max_uri_bytes: int) -> Iterator[Probe]:
    methods = {other.method for other in others if _place(other) == _place(operation)} | {operation.method}
    missing = next(verb for verb in VERBS if verb not in methods)
    allowed = ", ".join(sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))
    allow = (("allow", re.escape(allowed)),)
    yield _refused(
        "WI-001", "Another method is refused, with those that are there", refusals.MethodNotAllowed,
        method=missing, expect_headers=allow,
    )  # fmt: skip
    yield Probe(
        control="WI-002", title="OPTIONS says which methods are there", expect_status=204,
        method="OPTIONS", expect_headers=allow,
    )  # fmt: skip
    if operation.safe:
        yield Probe(control="WI-003", title="HEAD answers as GET, without a body", expect_status=0, method="HEAD")
    elif "GET" not in methods:
        yield _refused("WI-003", "HEAD answers as GET, without a body", refusals.MethodNotAllowed, method="HEAD")
    yield _refused("WI-004", "A path below it is unknown", refusals.UnknownPath, path="/a/b/c/d/e/f")
    long = f"padding={'a' * max_uri_bytes}"
    yield _refused("WI-005", "A request target that is too long is refused", refusals.UriTooLong, query=long)
    html = (("Accept", "text/html"),)
    yield _refused("WI-006", "Another representation is refused", refusals.NotAcceptable, with_headers=html)


def _place(operation: Operation) -> str:
    return re.sub(r"\{\w+\}", "{}", operation.path)


def _parameters(operation: Operation) -> Iterator[Probe]:
    wrong = refusals.InvalidParameters
    yield _refused("WI-010", "An unknown query parameter is refused", wrong, query="nobody_knows=1")
    for parameter in operation.parameters:
        if parameter.where == "body":
            continue
        text = wrong_text(parameter)
        if text is not None:
            given = ((parameter.name, text),)
            title = "A parameter that breaks its type is refused"
            yield _refused("WI-011", title, wrong, case=parameter.name, given=given)
        if parameter.where == "path":
            title = "A path parameter that is no text, or another path, is refused"
            for escape in ("%00", "%FF", "%2E%2E"):
                yield _refused(
                    "WI-012", title, wrong, case=f"{parameter.name} {escape}", given=((parameter.name, Raw(escape)),)
                )
        else:
            twice = "&".join(2 * [urlencode({parameter.name: sample_text(parameter)})])
            yield _refused(
                "WI-013", "A query parameter that comes twice is refused", wrong, case=parameter.name, query=twice
            )
            if parameter.required:
                title = "A request without a required query parameter is refused"
                yield _refused("WI-014", title, wrong, case=parameter.name, given=((parameter.name, None),))


def _body(operation: Operation, body: Parameter, max_body_bytes: int) -> Iterator[Probe]:
    xml = (("Content-Type", "text/xml"),)
    gzip = (("Content-Encoding", "gzip"),)
    kind = refusals.UnsupportedMediaType
    yield _refused("WI-016", "Another content type is refused", kind, with_headers=xml)
    yield _refused("WI-017", "A content coding is refused", kind, with_headers=gzip)
    large = b" " * (max_body_bytes + 1)
    yield _refused("WI-018", "A body that is too large is refused", refusals.BodyTooLarge, body=large)
    for case, text in BROKEN.items():
        title = "A body that is not JSON is refused"
        yield _refused("WI-019", title, refusals.MalformedRequest, case=case, body=text)
    yield _refused("WI-020", "A body that is no object is refused", refusals.InvalidBody, body=b"[]")
    seen: Counter[Rule] = Counter()
    members: set[str] = set()
    for fault in faults(body.type):
        member = fault.place.split("/")[1] if fault.place else ""
        if seen[fault.rule] < MOST_CASES or member not in members:
            seen[fault.rule] += 1
            members.add(member)
            control, title = RULES[fault.rule]
            text = json.dumps(fault.value).encode()
            yield _refused(control, title, refusals.InvalidBody, case=fault.place or "the whole", body=text)


def _conditions() -> Iterator[Probe]:
    title = "A change without If-Match is refused"
    yield _refused("WI-031", title, refusals.PreconditionRequired, without_headers=("If-Match",))
    weak = (("If-Match", 'W/"1"'),)
    yield _refused("WI-032", "An If-Match that is no tag is refused", refusals.InvalidParameters, with_headers=weak)


def _refused(control: str, title: str, problem: type[Problem], **variation: Any) -> Probe:
    return Probe(control=control, title=title, expect_status=problem.status, expect_type=problem.type, **variation)
