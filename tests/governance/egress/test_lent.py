"""What a hop lends is believed of hops only, and told back in the answer when it was spent."""

from __future__ import annotations

import pytest

from governance.call.allowance import RETRIED_HEADER, RETRIES_HEADER
from tests.governance.bindings.sample_gateway import SHELVES, ask, assemble, edge_of

pytestmark = pytest.mark.anyio
HOP = {"Authorization": "Bearer loans.v1"}
TOLD = RETRIED_HEADER.lower()


@pytest.mark.parametrize(
    ("headers", "taken", "told"),
    [
        ({**HOP, RETRIES_HEADER: "1"}, "[True, False]", "1"),
        ({**HOP, RETRIES_HEADER: "0"}, "[False, False]", None),
        ({**HOP, RETRIES_HEADER: "7"}, "[False, False]", None),
        (HOP, "[False, False]", None),
        ({RETRIES_HEADER: "1"}, "None", None),
        ({}, "None", None),
    ],
)
async def test_a_hop_lends_one_retry_or_none_and_a_client_lends_nothing(
    headers: dict[str, str], taken: str, told: str | None
) -> None:
    reply = await ask(edge_of(assemble()), "GET", f"{SHELVES}/books/retried", headers=headers)
    assert reply.json["title"] == taken
    assert reply.headers.get(TOLD) == told


async def test_a_hop_that_lent_nothing_is_told_nothing() -> None:
    reply = await ask(edge_of(assemble()), "GET", f"{SHELVES}/books/away", headers={**HOP, RETRIES_HEADER: "1"})
    assert reply.status == 503
    assert TOLD not in reply.headers
