"""``[plans]`` of tiergate.toml: rates and quotas as they are enforced, and every mistake as a sentence."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gateway.composition.plans import plans_of
from gateway.settings import Settings, SettingsError
from governance.consumers import Plan
from governance.policies.rate_limit import Quota, RateLimit

OPERATIONS = ("portal.v1.get_order", "portal.v1.post_order")


def plans(text: str) -> tuple[Plan, ...]:
    return plans_of(Settings(home=Path("/unused"), plans=tomllib.loads(text)["plans"]), OPERATIONS)


def complaints(text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        plans(text)
    return list(caught.value.violations)


def test_rates_stand_by_tier_and_by_operation() -> None:
    (gold,) = plans('[plans.gold]\nexperience = "600/60s burst 100"\noperations = {"portal.v1.post_order" = "10/60s"}')
    assert gold.rates == {"experience": RateLimit.parse("600/60s burst 100")}
    assert gold.operations == {"portal.v1.post_order": RateLimit.parse("10/60s")}
    assert gold.quotas == ()


def test_a_quota_is_one_number_for_all_tiers_or_one_for_each() -> None:
    text = '[plans.gold]\nquota_day = 100000\nquota_zone = "Europe/Berlin"\n[plans.gold.quota_month]\nsystem = 5\nprocess = 6'
    (gold,) = plans(text)
    assert set(gold.quotas) == {
        Quota(100_000, "day", "Europe/Berlin"),
        Quota(5, "month", "Europe/Berlin", "system"),
        Quota(6, "month", "Europe/Berlin", "process"),
    }


def test_a_plan_may_be_empty() -> None:
    assert plans("[plans.free]") == (Plan(name="free"),)


def test_every_mistake_of_every_plan_is_named() -> None:
    found = complaints(
        '[plans.gold]\nexperience = "fast"\nsystem = "0/1s"\noperations = {"portal.v1.post_orders" = "many"}\n'
        '[plans.free]\nquota_zone = "Mars/Olympus"\nquota_day = 5\n[plans.odd]\nburst = 4\nquota_day = 0'
    )
    assert found == [
        "tiergate.toml: plans.gold.operations: portal.v1.post_orders is no operation; did you mean portal.v1.post_order?",
        "tiergate.toml: plans.gold.experience: 'fast' is not a rate limit: write it like '600/60s' or '600/60s burst 100'.",
        "tiergate.toml: plans.gold.system: '0/1s' admits nothing or has no length: both numbers of a rate must be at least 1.",
        "tiergate.toml: plans.gold.operations.portal.v1.post_orders: 'many' is not a rate limit: "
        "write it like '600/60s' or '600/60s burst 100'.",
        "tiergate.toml: plans.free.quota_zone: 'Mars/Olympus' is no IANA time zone: "
        "write one such as 'UTC' or 'Europe/Berlin'.",
        "tiergate.toml: plans.odd.burst is not a setting.",
        "tiergate.toml: plans.odd.quota_day must be a whole number from 1 to 1000000000000 or a table, not 0.",
    ]  # fmt: skip
