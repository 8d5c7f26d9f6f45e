"""Faults of answers, of CORS and of what is published: clients are told something else than what holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from governance.contract import Operation
from tests.mutants.mutant import Change, Fault, Pairs, Spoil, Variant, changed

HEADERS = (
    "request-id",
    "x-content-type-options",
    "content-security-policy",
    "cache-control",
    "www-authenticate",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "allow",
)
MEMBERS = ("type", "title", "status", "instance", "request_id", "retryable")
OPERATION = "the operation's document"


def faults() -> Iterator[Fault]:
    """Every fault of these groups."""
    yield from _headers()
    yield from _problems()
    yield from _cors()
    yield from _documents()


def _spoiled(group: str, name: str, spoil: Spoil, applies: Callable[[Operation], bool] = lambda _: True) -> Fault:
    return Fault(group=group, name=name, applies=applies, change=changed(spoil=spoil))


def _headers() -> Iterator[Fault]:
    group = "answers"
    for name in HEADERS:
        yield _spoiled(group, f"{name} is left out", _editing({name: None}))
    for name in HEADERS[:4]:
        yield _spoiled(
            group, f"{name} is left out of refusals", _editing({name: None}, only=lambda status: status >= 400)
        )
        yield _spoiled(
            group, f"{name} is left out of successes", _editing({name: None}, only=lambda status: status < 400)
        )
    yield _spoiled(group, "shared caches may keep answers", _editing({"cache-control": "public, max-age=60"}))
    yield _spoiled(group, "one request id is given to all", _editing({"request-id": "0" * 32}))
    yield _spoiled(group, "answers may be framed", _editing({"content-security-policy": "default-src 'none'"}))
    yield _spoiled(group, "what is current is called deprecated", _editing({"deprecation": "@1767225600"}))
    yield _spoiled(group, "what is current has a sunset", _editing({"sunset": "Thu, 01 Jan 2026 00:00:00 GMT"}))
    yield _spoiled(group, "every status is 200", lambda _, status, headers, body: (200, headers, body))
    yield _spoiled(group, "forbidden is called not found", _status(403, 404))
    yield _spoiled(group, "not found is called forbidden", _status(404, 403))
    yield _spoiled(group, "unauthenticated is called forbidden", _status(401, 403))
    yield _spoiled(group, "too many is called unavailable", _status(429, 503))
    yield _spoiled(group, "a refusal fails instead", _status(403, 500))


def _editing(values: dict[str, str | None], *, only: Callable[[int], bool] = lambda _: True) -> Spoil:
    """Sets headers, or drops them where the value is None."""

    def spoil(_: Any, status: int, headers: Pairs, body: bytes) -> tuple[int, Pairs, bytes]:
        if not only(status):
            return status, headers, body
        kept = [pair for pair in headers if pair[0].decode() not in values]
        return (
            status,
            [*kept, *((name.encode(), text.encode()) for name, text in values.items() if text is not None)],
            body,
        )

    return spoil


def _status(old: int, new: int) -> Spoil:
    return lambda _, status, headers, body: (new if status == old else status, headers, body)


def _problems() -> Iterator[Fault]:
    group = "problems"
    for name in MEMBERS:
        yield _spoiled(group, f"{name} is left out", _member(name, None))
    yield _spoiled(group, "the status is another one", _member("status", 418))
    yield _spoiled(group, "every problem is of one type", _member("type", "about:blank"))
    yield _spoiled(group, "they are plain JSON", _plain)


def _member(name: str, value: Any) -> Spoil:
    def spoil(_: Any, status: int, headers: Pairs, body: bytes) -> tuple[int, Pairs, bytes]:
        if not any(pair == (b"content-type", b"application/problem+json") for pair in headers):
            return status, headers, body
        said = json.loads(body) if body else {}
        said.pop(name, None)
        return status, headers, json.dumps(said if value is None else {**said, name: value}).encode() if body else body

    return spoil


def _plain(_: Any, status: int, headers: Pairs, body: bytes) -> tuple[int, Pairs, bytes]:
    return status, [(name, b"application/json" if name == b"content-type" else value) for name, value in headers], body


def _cors() -> Iterator[Fault]:
    group = "CORS"
    yield _spoiled(group, "every page may read every answer", _allowing(lambda origin: b"*"))
    yield _spoiled(group, "every origin is allowed by name", _allowing(lambda origin: origin))
    yield _spoiled(group, "credentials are allowed", _allowing(None))
    yield _spoiled(group, "every preflight is allowed", _allowing(lambda origin: origin, preflights=True))
    yield _spoiled(
        group, "every answer is readable, preflights are refused", _allowing(lambda origin: origin, preflights=False)
    )
    yield _spoiled(group, "no origin is allowed", _editing({"access-control-allow-origin": None}))


def _allowing(answer: Callable[[bytes], bytes] | None, *, preflights: bool | None = None) -> Spoil:
    def spoil(scope: Any, status: int, headers: Pairs, body: bytes) -> tuple[int, Pairs, bytes]:
        origin = dict(scope["headers"]).get(b"origin")
        if origin is None or (preflights is not None and preflights != (scope["method"] == "OPTIONS")):
            return status, headers, body
        if answer is None:
            return status, [*headers, (b"access-control-allow-credentials", b"true")], body
        kept = [pair for pair in headers if pair[0] != b"access-control-allow-origin"]
        return status, [*kept, (b"access-control-allow-origin", answer(origin))], body

    return spoil


Edit = Callable[[dict[str, Any], Operation], None]
"""Changes a document, given the operation that it is looked at for."""


def _documents() -> Iterator[Fault]:
    group = "documents"

    def fault(name: str, edit: Edit) -> Fault:
        return Fault(group=group, name=name, change=_edited(edit))

    yield fault("another scope is published", lambda one, _: one.update(security=[{"oauth2": ["others.things:read"]}]))
    yield fault("no scope is published", lambda one, _: one.update(security=[]))
    yield fault(
        "two scopes are published", lambda one, it: one.update(security=[{"oauth2": [it.scope, "others.x:read"]}])
    )
    yield fault("a burst of one more is published", lambda one, _: _limit(one, burst=1))
    yield fault("a burst of one less is published", lambda one, _: _limit(one, burst=-1))
    yield fault("another rate is published", lambda one, _: _limit(one, interval_us=1_000_000))
    yield fault("no limit is published", lambda one, _: one.pop("x-rate-limit"))
    yield fault("another id is published", lambda one, _: one.update(operationId="others.v1.thing"))
    yield fault("401 is not published", lambda one, _: one["responses"].pop("401"))
    yield fault("403 is not published", lambda one, _: one["responses"].pop("403"))
    yield fault("429 is not published", lambda one, _: one["responses"].pop("429"))
    yield Fault(group=group, name="the operation is not published", change=_unpublished)
    yield Fault(group=group, name="an operation is published that nobody serves", change=_invented)
    yield Fault(group=group, name="the metadata leaves the scope out", change=_unlisted)


def _edited(edit: Edit) -> Change:
    def change(variant: Variant) -> Variant:
        def document(described: dict[str, Any]) -> dict[str, Any]:
            for item in described["paths"].values():
                for one in item.values():
                    if one["operationId"] == variant.operation.id:
                        edit(one, variant.operation)
                        return described
            raise AssertionError("the operation is not published")

        return changed(document=document)(variant)

    return change


def _limit(one: dict[str, Any], **more: int) -> None:
    for limit in one["x-rate-limit"].values():
        for name, by in more.items():
            limit[name] += by


def _unpublished(variant: Variant) -> Variant:
    def document(described: dict[str, Any]) -> dict[str, Any]:
        for item in described["paths"].values():
            item.pop(variant.operation.method.lower(), None) if _is(item, variant) else None
        return described

    return changed(document=document)(variant)


def _is(item: dict[str, Any], variant: Variant) -> bool:
    return bool(item.get(variant.operation.method.lower(), {}).get("operationId") == variant.operation.id)


def _invented(variant: Variant) -> Variant:
    def document(described: dict[str, Any]) -> dict[str, Any]:
        described["paths"]["/nobody/serves-this"] = {"get": {"operationId": "nobody"}}
        return described

    return changed(document=document)(variant)


def _unlisted(variant: Variant) -> Variant:
    def spoil(scope: Any, status: int, headers: Pairs, body: bytes) -> tuple[int, Pairs, bytes]:
        if not scope["path"].startswith("/.well-known/"):
            return status, headers, body
        said = json.loads(body)
        said["scopes_supported"].remove(variant.operation.scope)
        return status, headers, json.dumps(said).encode()

    return changed(spoil=spoil)(variant)
