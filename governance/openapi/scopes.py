"""The scope catalogue: every scope there is, and exactly which operations it opens (RFC 6749 §3.3).

Made from the contracts, published as ``/openapi/scopes.json`` and committed as ``openapi/scopes.json``, so
that whoever grants a scope reads what is granted, and a scope that opens more than before shows in review.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from governance.contract.operation import TIERS, Api, Operation

SCOPES_FILE = "scopes.json"


def scope_catalogue(apis: Iterable[Api]) -> dict[str, Any]:
    """Scope by scope, tier by tier: the operations that demand it, each with what it may be called for."""
    operations = [operation for api in apis for operation in api.operations if not operation.inbound]
    found: dict[tuple[int, str], list[Operation]] = {}
    for operation in sorted(operations, key=lambda one: one.id):
        found.setdefault((TIERS.index(operation.tier), operation.scope), []).append(operation)
    return {
        "scopes": [
            {"scope": scope, "tier": TIERS[tier], "operations": [_described(one) for one in opened]}
            for (tier, scope), opened in sorted(found.items(), key=lambda item: item[0])
        ]
    }


def encoded_scopes(apis: Iterable[Api]) -> bytes:
    """The catalogue as the bytes that are committed and served."""
    return msgspec.json.format(msgspec.json.encode(scope_catalogue(apis)), indent=2) + b"\n"


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": operation.id,
        "method": operation.method,
        "path": operation.path,
        "summary": operation.summary,
    }
    if operation.visibility.fields:
        described["visible_by"] = operation.visibility.fields
    return described
