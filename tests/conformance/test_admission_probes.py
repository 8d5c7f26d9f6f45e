"""``Tiergate-Probe`` keeps a write from running and opens nothing, on the whole gateway."""

from __future__ import annotations

import json

import pytest

from governance.prove import Reply, sample_of
from tests.conformance.conftest import Served
from tests.conformance.every_operation import EVERY, OPERATIONS

pytestmark = pytest.mark.anyio
WRITE = OPERATIONS["crm.v1.create_case"]
LIST = OPERATIONS["crm.v1.list_cases"]
PROVE = ("governance:prove",)


async def write(served: Served, key: str, probe: str | None, *scopes: str) -> Reply:
    sample = sample_of(WRITE, key=key)
    headers = {**sample.headers, "Authorization": f"Bearer {served.tokens.token('valid', WRITE, 'prover', scopes)}"}
    if probe is not None:
        headers["Tiergate-Probe"] = probe
    return await served.send(sample.method, sample.target, headers, sample.body)


async def cases(served: Served) -> int:
    sample = sample_of(LIST)
    reply = await served.send("GET", f"{sample.target}&limit=200", served.authorized(LIST, sample.headers), None)
    return len(json.loads(reply.body)["items"])


async def test_it_reaches_the_implementation_and_does_nothing(served: Served) -> None:
    before = await cases(served)
    reply = await write(served, "reach", "reach", *PROVE)
    assert (reply.status, reply.headers["tiergate-probe"], reply.body) == (204, "reached", b"")
    assert reply.headers["ratelimit"]
    assert await cases(served) == before


async def test_its_key_is_free_afterwards(served: Served) -> None:
    before = await cases(served)
    assert (await write(served, "free", "reach", *PROVE)).status == 204
    first = await write(served, "free", None, *PROVE)
    assert (first.status, first.headers.get("idempotency-replayed")) == (201, None)
    assert await cases(served) == before + 1


async def test_a_stored_answer_comes_before_it(served: Served) -> None:
    first = await write(served, "stored", None)
    again = await write(served, "stored", "reach", *PROVE)
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("wish", ["reach", "refuse", "nonsense"])
async def test_without_the_scope_it_is_refused_and_nothing_runs(served: Served, wish: str) -> None:
    before = await cases(served)
    reply = await write(served, f"nobody-{wish}", wish)
    assert (reply.status, reply.problem) == (403, "insufficient-scope")
    assert 'scope="governance:prove"' in reply.headers["www-authenticate"]
    assert await cases(served) == before
    assert (await write(served, f"nobody-{wish}", None)).status == 201  # its key was let go


async def test_a_refusal_that_was_asked_for_is_stored_as_any_other(served: Served) -> None:
    for replayed in (None, "true"):
        reply = await write(served, "refuse", "refuse", *PROVE)
        assert (reply.status, reply.problem) == (404, "not-found")
        assert reply.headers.get("idempotency-replayed") == replayed
        assert reply.problem_members["request_id"] == reply.headers["request-id"]


async def test_an_unknown_wish_is_a_wrong_parameter(served: Served) -> None:
    reply = await write(served, "nonsense", "nonsense", *PROVE)
    assert (reply.status, reply.problem) == (400, "invalid-parameters")
    assert reply.problem_members["errors"] == [{"header": "Tiergate-Probe", "detail": "is reach or refuse"}]


async def test_it_comes_after_ownership_of_the_arguments(served: Served) -> None:
    sample = sample_of(WRITE, key="stranger")
    token = served.tokens.token("other-account", WRITE, "prover", PROVE)
    headers = {**sample.headers, "Authorization": f"Bearer {token}", "Tiergate-Probe": "reach"}
    reply = await served.send(sample.method, sample.target, headers, sample.body)
    assert (reply.status, reply.problem) == (404, "not-found")


@pytest.mark.parametrize("name", EVERY)
def test_only_served_writes_know_it_and_it_stands_last(served: Served, name: str) -> None:
    chains = served.application.state.assembly.chains
    operation = served.operations[name]
    own = [link.name for link in chains[operation, "served"]]
    assert ("probes" in own) != operation.safe
    assert operation.safe or own[-1] == "probes"
    assert "probes" not in [link.name for link in chains[operation, "local"]]
