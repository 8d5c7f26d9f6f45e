"""A client that states audiences gets tokens for those tiers only."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from governance.consumers import Consumers
from governance.identity import BadToken


@pytest.mark.rule("RFC 9068 §2.2", "The audience of a token is what its client may use it at")
def test_a_token_opens_no_tier_that_its_client_does_not_name(world: Any) -> None:
    narrowed = [msgspec.structs.replace(consumer, audiences=frozenset({"experience"})) for consumer in world.consumers]
    before = world.granted()["access_token"]
    world.consumers.become(Consumers(narrowed))
    after = world.granted()["access_token"]
    assert world.principal(before, "process").client_id == "shop"
    assert world.principal(after, "experience").client_id == "shop"
    with pytest.raises(BadToken, match="audience"):
        world.principal(after, "process")
