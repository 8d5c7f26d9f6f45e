"""Looking consumers up, their plans and their origins."""

from __future__ import annotations

import pytest

from governance.consumers import Consumer, ConsumerError, Consumers
from governance.policies.rate_limit import RateLimit

SHOP = Consumer(client_id="shop", name="Shop", plan="gold", origins=("https://shop.example",))
FEED = Consumer(client_id="feed", name="Feed")
GOLD, BASIC = RateLimit.parse("100/1s"), RateLimit.parse("10/1s")
CONSUMERS = Consumers([SHOP, FEED], {"gold": {"experience": GOLD}, "default": {"experience": BASIC}})


def test_a_consumer_is_found_by_its_id() -> None:
    assert CONSUMERS.get("shop") is SHOP
    assert CONSUMERS.get("nobody") is None
    assert list(CONSUMERS) == [SHOP, FEED]


def test_the_plan_states_the_limit_of_a_tier() -> None:
    assert CONSUMERS.limit_for("shop", "experience") is GOLD
    assert CONSUMERS.limit_for("shop", "system") is None
    assert CONSUMERS.limit_for("feed", "experience") is BASIC


def test_an_unknown_client_is_on_the_default_plan() -> None:
    assert CONSUMERS.limit_for("nobody", "experience") is BASIC
    assert Consumers().limit_for("nobody", "experience") is None


def test_an_origin_belongs_to_its_consumer() -> None:
    assert CONSUMERS.origins == {"https://shop.example"}
    assert CONSUMERS.allows_origin("shop", "https://shop.example")
    assert not CONSUMERS.allows_origin("feed", "https://shop.example")
    assert not CONSUMERS.allows_origin("nobody", "https://shop.example")


def test_a_client_is_declared_once() -> None:
    with pytest.raises(ConsumerError, match="declared twice"):
        Consumers([SHOP, SHOP])
