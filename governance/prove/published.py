"""What the gateway publishes about an operation agrees with what it does, and with the contract.

Controls ``DO-…``. Standards: OpenAPI 3.1.1, RFC 9728 (protected resource metadata).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec

from governance.contract.operation import Api, Operation
from governance.openapi.export import document_path
from governance.prove.proof import Proof
from governance.prove.reply import Send, Sent

METHODS = frozenset({"get", "post", "put", "patch", "delete"})
POLICY = re.compile(r'"([^"]+)";q=(\d+);w=(\d+)')


class Published:
    """The documents of one running gateway, each fetched once."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._documents: dict[str, Mapping[str, Any]] = {}

    async def load(self, apis: Iterable[Api], tiers: Iterable[str]) -> None:
        """Fetch what the proofs look at; what is not there counts as saying nothing."""
        for api in apis:
            await self._fetch(f"/openapi/{document_path(api)}")
        for tier in tiers:
            await self._fetch(_metadata_path(tier))

    async def _fetch(self, path: str) -> None:
        reply = await self._send("GET", path, {"Accept": "application/json"}, None)
        try:
            self._documents[path] = msgspec.json.decode(reply.body, type=dict[str, Any]) if reply.status == 200 else {}
        except msgspec.DecodeError:
            self._documents[path] = {}

    def described(self, api: Api, operation: Operation) -> Mapping[str, Any]:
        """The operation as its document describes it; empty where it does not."""
        paths = self._documents[f"/openapi/{document_path(api)}"].get("paths", {})
        found: Mapping[str, Any] = paths.get(operation.path.removeprefix(api.prefix), {}).get(
            operation.method.lower(), {}
        )
        return found

    def proofs(self, api: Api, operation: Operation, sent: Sequence[Sent]) -> Iterator[Proof]:
        """What is published about one operation, held against its contract and against what came back."""
        described = self.described(api, operation)
        yield _same(operation, "DO-001", "It is published under its id", operation.id, described.get("operationId"))
        scopes = [scope for one in described.get("security", ()) for held in one.values() for scope in held]
        demanded = [] if operation.inbound else [operation.scope]
        yield _same(operation, "DO-002", "The published scope is the one that is demanded", demanded, scopes)
        paths = self._documents[f"/openapi/{document_path(api)}"].get("paths", {})
        listed = sorted(f"{verb.upper()} {path}" for path, item in paths.items() for verb in item if verb in METHODS)
        own = sorted(f"{one.method} {one.path.removeprefix(api.prefix)}" for one in api.operations)
        yield _same(operation, "DO-003", "The document lists exactly the operations of the contract", own, listed)
        if operation.inbound:  # nobody but its vendor meets its limit, or gets its scope
            return
        yield self._limits(operation, described, sent)
        supported = self._documents[_metadata_path(operation.tier)].get("scopes_supported", ())
        title = "The tier's metadata names the scope"
        yield _same(
            operation, "DO-006", title, operation.scope, operation.scope if operation.scope in supported else None
        )

    def _limits(self, operation: Operation, described: Mapping[str, Any], sent: Sequence[Sent]) -> Proof:
        """Each announced bucket is a published one: calls at once, and seconds until they are back."""
        limits: Mapping[str, Mapping[str, int]] = described.get("x-rate-limit", {})
        published = {
            (one["burst"], -(-one["burst"] * one["interval_us"] // 1_000_000))
            for one in limits.values()
            if "burst" in one
        }
        announced = {
            (int(calls), int(window_s))
            for answer in sent
            if answer.of_operation and not answer.control.startswith("RL-")
            for _, calls, window_s in POLICY.findall(answer.reply.headers.get("ratelimit-policy", ""))
        }
        title = "The published limit is the one that is announced"
        return _same(operation, "DO-004", title, sorted(published), sorted(announced))


def _metadata_path(tier: str) -> str:
    return f"/.well-known/oauth-protected-resource/{tier}"


def _same(operation: Operation, control: str, title: str, expected: Any, seen: Any) -> Proof:
    return Proof(
        control=control,
        operation_id=operation.id,
        title=title,
        expected=_text(expected),
        seen=_text(seen),
        outcome="held" if expected == seen else "failed",
    )


def _text(value: Any) -> str:
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return ", ".join(map(str, items)) or "nothing"
    return "nothing" if value is None else str(value)
