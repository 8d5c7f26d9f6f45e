"""Looking keys up on the whole gateway: beside every keyed operation, behind the same policies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from governance.contract import Operation
from governance.prove import sample_of
from tests.conformance.conftest import Served
from tests.conformance.every_operation import EVERY, OPERATIONS

pytestmark = pytest.mark.anyio
KEYED = [name for name in EVERY if OPERATIONS[name].keyed]
PROVE = ("governance:prove",)


def place_of(served: Served, operation: Operation, key: str) -> str:
    template: str = served.documented(operation)["x-idempotency"]["lookup"]
    return template.replace("{key}", key)


async def look(served: Served, operation: Operation, key: str, token: str) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    reply = await served.send("GET", place_of(served, operation, key), headers, None)
    assert reply.headers["request-id"]
    return reply.status, json.loads(reply.body)


@pytest.mark.parametrize("name", KEYED)
async def test_a_client_is_told_what_became_of_its_key(served: Served, name: str) -> None:
    operation = served.operations[name]
    key = f"look-{name}"
    token = served.tokens.token("valid", operation, "looker", PROVE) or ""
    unused = await look(served, operation, key, token)
    assert unused[0] == 200
    assert unused[1] == {
        "operation": name, "state": "unknown", "status": None, "completed_at": None, "remaining_s": None,
    }  # fmt: skip
    sample = sample_of(operation, key=key)
    headers = {**sample.headers, "Authorization": f"Bearer {token}", "Tiergate-Probe": "refuse"}
    write = await served.send(sample.method, sample.target, headers, sample.body)
    status, state = await look(served, operation, key, token)
    assert (status, state["state"], state["status"]) == (200, "completed", write.status)
    assert state["remaining_s"] > 86_000
    other = served.tokens.token("valid", operation, "another looker") or ""
    assert await look(served, operation, key, other) == unused
    stranger = served.tokens.token("other-account", operation, "looker") or ""
    assert await look(served, operation, key, stranger) == unused


@pytest.mark.parametrize("name", KEYED)
async def test_it_is_governed_as_its_operation(served: Served, name: str) -> None:
    operation = served.operations[name]
    target = place_of(served, operation, "k")
    assert (await served.send("GET", target, {}, None)).status == 401
    for kind, expected in (("no-scope", 403), ("wrong-audience", 401), ("expired", 401), ("valid", 200)):
        token = served.tokens.token(kind, operation, f"{kind}:{name}")  # type: ignore[arg-type] - each is a kind
        reply = await served.send("GET", target, {"Authorization": f"Bearer {token}"}, None)
        assert reply.status == expected, (kind, reply.body)
    assert reply.headers["ratelimit"]
    assert (await served.send("POST", target, {}, None)).status == 405
    chains = served.application.state.assembly.chains
    (chain,) = [links for (one, _), links in chains.items() if one.id == f"{name}_key"]
    beside = {link.name for link in chains[operation, "served"]} - {
        "idempotency",
        "ownership",
        "probes",
        "shield",
        "audit",
    }
    assert beside <= {link.name for link in chain}
