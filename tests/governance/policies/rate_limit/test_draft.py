"""The rules of draft-ietf-httpapi-ratelimit-headers-11 and of what it stands on, one by one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from governance.call import Exchange, SystemClock
from governance.consumers.plans import Plan
from governance.contract.refusals import RateLimited
from governance.policies.rate_limit import Enforcement, Quota, RateLimit, Settings
from governance.store import Store

pytestmark = pytest.mark.anyio

DRAFT = "draft-ietf-httpapi-ratelimit-headers-11"
ITEM = re.compile(r'"([ !#-\[\]-~]*)"((?:;[a-z*][a-z0-9_.*-]*=(?:0|-?[1-9]\d{0,14}))*)')
"""RFC 9651: a String with Integer parameters."""

LIMITS = [
    (RateLimit.parse("600/60s burst 100"), ()),
    (RateLimit.parse("1/1ms"), (Quota(10**12, "month"),)),
    (RateLimit.parse("999999/1s burst 1"), (Quota(1, "day", "Pacific/Apia"), Quota(7, "month", tier="experience"))),
    (RateLimit.parse("1/365d"), (Quota(5, "day"),)),
]
SPENT_BY_THREE = [*LIMITS[:1], (RateLimit.parse("1/10s"), LIMITS[1][1]), *LIMITS[2:]]
"""Those that three calls spend, however long they take."""

Fields = dict[str, dict[str, dict[str, int]]]


class Agreed:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def plan_of(self, client_id: str) -> Plan:
        return self._plan


def parsed(exchange: Exchange) -> Fields:
    """Field to item to parameters; fails where a field is no List of such Items."""
    fields: Fields = {}
    for name, value in exchange.response_headers:
        if name.startswith(b"ratelimit"):
            fields[name.decode()] = {}
            for member in value.decode().split(", "):
                item = ITEM.fullmatch(member)
                assert item, member
                pairs = [pair.split("=") for pair in item[2].split(";")[1:]]
                fields[name.decode()][item[1]] = {key: int(number) for key, number in pairs}
    return fields


async def answers(store: Store, samples: Any, rate: RateLimit, quotas: tuple[Quota, ...], calls: int) -> list[Exchange]:
    plans = Agreed(Plan(name="p", rates={"experience": rate}, quotas=quotas))
    wrap = Enforcement(Settings(), store, SystemClock(), plans).enforce(samples.operation("get_costly_thing"), "served")
    assert wrap is not None
    found: list[Exchange] = []
    for _ in range(calls):
        exchange = samples.served("get_costly_thing")
        found.append(exchange)
        try:
            await wrap(_reached)(exchange)
        except RateLimited:
            assert dict(exchange.response_headers)[b"retry-after"]
    return found


async def _reached(exchange: Exchange) -> None:
    return None


@pytest.mark.rule(f"{DRAFT} §3", "RateLimit-Policy is a List of Strings, each naming a quota policy")
@pytest.mark.rule(f"{DRAFT} §3.1.1", "q is a non-negative Integer and always there")
@pytest.mark.rule(f"{DRAFT} §3.1.3", "w is an Integer of seconds above zero")
@pytest.mark.rule(f"{DRAFT} §4", "RateLimit is a List of items that name the same policies")
@pytest.mark.rule(f"{DRAFT} §4.1.1", "r is a non-negative Integer, always there, and no more than q")
@pytest.mark.rule(f"{DRAFT} §4.1.2", "t is a non-negative Integer of seconds")
@pytest.mark.parametrize(("rate", "quotas"), LIMITS)
async def test_fields_are_well_formed(store: Store, samples: Any, rate: RateLimit, quotas: tuple[Quota, ...]) -> None:
    for exchange in await answers(store, samples, rate, quotas, 4):
        fields = parsed(exchange)
        policies, states = fields["ratelimit-policy"], fields["ratelimit"]
        assert list(policies) == list(states)
        assert list(policies) == ["experience", "samples.v1.get_costly_thing", *(quota.name for quota in quotas)]
        for name, policy in policies.items():
            assert set(policy) == {"q", "w"} and set(states[name]) == {"r", "t"}
            assert policy["q"] >= 0 and policy["w"] > 0
            assert 0 <= states[name]["r"] <= policy["q"]
            assert 0 <= states[name]["t"] <= max(policy["w"], rate.refill_s, 3600)


@pytest.mark.rule(f"{DRAFT} §3", "RateLimit-Policy stays the same over a sequence of answers")
async def test_the_policy_stays_the_same(store: Store, samples: Any) -> None:
    rate, quotas = LIMITS[2]
    found = await answers(store, samples, rate, quotas, 4)
    assert len({dict(exchange.response_headers)[b"ratelimit-policy"] for exchange in found}) == 1


@pytest.mark.rule(f"{DRAFT} §6", "Retry-After ends no earlier than the effective window of a limit that is spent")
@pytest.mark.rule("RFC 6585 §4", "429 says by Retry-After how long to wait")
@pytest.mark.rule("RFC 9110 §10.2.3", "Retry-After is a whole number of seconds")
@pytest.mark.parametrize(("rate", "quotas"), SPENT_BY_THREE)
async def test_retry_after_is_the_end_of_the_spent_window(
    store: Store, samples: Any, rate: RateLimit, quotas: tuple[Quota, ...]
) -> None:
    refused = (await answers(store, samples, rate, quotas, 3))[-1]
    wait_s = dict(refused.response_headers)[b"retry-after"]
    spent = [state["t"] for state in parsed(refused)["ratelimit"].values() if state["r"] == 0]
    assert re.fullmatch(rb"[1-9]\d*", wait_s)
    assert spent and int(wait_s) == max(1, *spent)
