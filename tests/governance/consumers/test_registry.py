"""Looking consumers up, their plans and their origins."""

from __future__ import annotations

import pytest

from governance.consumers import Consumer, ConsumerError, Consumers, Plan
from governance.policies.rate_limit import RateLimit

SHOP = Consumer(client_id="shop", name="Shop", plan="gold", origins=("https://shop.example",))
FEED = Consumer(client_id="feed", name="Feed")
GOLD, BASIC = RateLimit.parse("100/1s"), RateLimit.parse("10/1s")
GOLDEN = Plan(name="gold", rates={"experience": GOLD})
CONSUMERS = Consumers([SHOP, FEED], [GOLDEN, Plan(name="default", rates={"experience": BASIC})])


def test_a_consumer_is_found_by_its_id() -> None:
    assert CONSUMERS.get("shop") is SHOP
    assert CONSUMERS.get("nobody") is None
    assert list(CONSUMERS) == [SHOP, FEED]


def rate_of(client_id: str) -> RateLimit | None:
    plan = CONSUMERS.plan_of(client_id)
    return plan.rates.get("experience") if plan else None


def test_a_client_is_on_its_plan_and_an_unknown_one_on_the_default() -> None:
    assert CONSUMERS.plan_of("shop") is GOLDEN
    assert rate_of("feed") is BASIC
    assert rate_of("nobody") is BASIC
    assert Consumers().plan_of("nobody") is None


def test_everything_known_is_replaced_at_once() -> None:
    consumers = Consumers([SHOP], [GOLDEN])
    after = Plan(name="default", rates={"experience": GOLD})
    consumers.become(Consumers([FEED], [Plan(name="gold", rates={"experience": GOLD}), after]))
    assert list(consumers) == [FEED]
    assert (consumers.get("shop"), consumers.origins) == (None, frozenset())
    assert consumers.plan_of("shop") is after


def test_a_plan_that_did_not_change_stays_the_same_so_that_its_terms_are_prepared_once() -> None:
    consumers = Consumers([SHOP], [GOLDEN])
    consumers.become(Consumers([SHOP], [Plan(name="gold", rates={"experience": RateLimit.parse("100/1s")})]))
    assert consumers.plan_of("shop") is GOLDEN
    consumers.become(Consumers([SHOP], [Plan(name="gold", rates={"experience": BASIC})]))
    assert consumers.plan_of("shop") is not GOLDEN


def test_tokens_are_good_at_every_tier_unless_audiences_are_stated() -> None:
    assert SHOP.may_use("system")
    narrow = Consumer(client_id="narrow", name="Narrow", audiences=frozenset({"experience"}))
    assert (narrow.may_use("experience"), narrow.may_use("system")) == (True, False)


def test_an_origin_belongs_to_its_consumer() -> None:
    assert CONSUMERS.origins == {"https://shop.example"}
    assert CONSUMERS.allows_origin("shop", "https://shop.example")
    assert not CONSUMERS.allows_origin("feed", "https://shop.example")
    assert not CONSUMERS.allows_origin("nobody", "https://shop.example")


def test_a_client_is_declared_once() -> None:
    with pytest.raises(ConsumerError, match="declared twice"):
        Consumers([SHOP, SHOP])
