"""Discounts: what the rules give, what a sales person may give, and what somebody else has to approve."""

from __future__ import annotations

import pytest

from process_apis.quote_to_cash.rules import Granted, granted
from tests.process_apis.quote_to_cash.quote_world import (
    BEARING,
    RULES,
    events_of,
    noted,
    request,
    said,
    say,
    seen,
    sent,
    wish,
)
from tests.process_apis.world import World

AT_LIMIT, ABOVE = 1_500, 1_501


@pytest.mark.parametrize(
    ("source", "priced_bp", "wanted_bp", "expected"),
    [
        ("list", 300, None, Granted(500)),
        ("volume", 0, None, Granted(200)),
        ("contract", 0, None, Granted(0)),
        ("list", 9_900, None, Granted(10_000)),
        ("list", 300, 100, Granted(100)),
        ("list", 300, 1_500, Granted(1_500)),
        ("list", 300, 1_501, Granted(1_501, over_limit=True)),
        ("contract", 0, 1_501, Granted(1_501, over_limit=True)),
        ("list", 2_000, 2_200, Granted(2_200)),
        ("list", 2_000, 2_201, Granted(2_201, over_limit=True)),
    ],
)
def test_each_line_gets_what_it_is_due_or_what_is_wished(
    source: str, priced_bp: int, wanted_bp: int | None, expected: Granted
) -> None:
    assert granted(RULES.discounts, "platform", 200, source, priced_bp, wanted_bp) == expected


def test_class_and_worth_earn_together() -> None:
    rules = RULES.discounts
    worths = [rules.earned_bp(segment, worth) for segment in ("key", "small") for worth in (999_999, 1_000_000)]
    assert worths == [200, 300, 0, 100]
    assert (rules.limit_of("platform"), rules.limit_of("somebody")) == (1_500, 0)


def test_a_discount_up_to_the_limit_is_given_by_itself(world: World) -> None:
    plain, cheaper = sent(world, (BEARING, 10, 0)), sent(world, (BEARING, 10, AT_LIMIT))
    assert cheaper["lines"][0]["discount_bp"] == AT_LIMIT
    full = plain["net"]["amount_minor"]
    assert cheaper["net"]["amount_minor"] == (full * (10_000 - AT_LIMIT) + 5_000) // 10_000


def test_a_discount_above_the_limit_waits_for_somebody_else(world: World) -> None:
    quote = request(world, wish((BEARING, 10, ABOVE)))
    assert (quote["status"], quote["stage"], quote["waits_for_approval"]) == ("requested", "approve", True)
    assert noted(world, quote, "quote_needs_approval") == ["quote_needs_approval"]
    assert quote["over_limit"] == [f"{BEARING}: 15.01 % is above the limit of 15 %."]
    own = say(world, quote, "decide", approved=True)
    assert (own.status_code, own.json()["type"]) == (409, "/problems/four-eyes")
    other = say(world, quote, "decide", who="manager", approved=True, revision=2)
    assert (other.status_code, other.json()["type"]) == (409, "/problems/quote-superseded")
    said(world, quote, "decide", who="manager", approved=True)
    done = seen(world, quote, "sent")
    assert (done["approved_by"], done["waits_for_approval"]) == ("manager", False)
    again = say(world, quote, "decide", who="manager", approved=False)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/wrong-state")
    assert events_of(world, quote["quote_id"]) == ["quote.sent"]


def test_a_discount_that_is_not_approved_ends_the_quote(world: World) -> None:
    quote = request(world, wish((BEARING, 10, ABOVE)))
    gone = said(world, quote, "decide", who="manager", approved=False, reason="Not for bearings.")
    assert (gone["status"], gone["problem"]) == ("rejected", "not-approved")
    assert gone["reason"] == "Not for bearings."


def test_a_revision_above_the_limit_needs_an_approval_of_its_own(world: World) -> None:
    quote = sent(world, (BEARING, 10, None))
    line = {"sku": BEARING, "quantity": 12, "wanted_discount_bp": ABOVE}
    revised = said(world, quote, "revise", lines=[line])
    assert (revised["revision"], revised["waits_for_approval"]) == (2, True)
    said(world, revised, "decide", who="manager", approved=True)
    assert seen(world, revised, "sent")["lines"][0]["discount_bp"] == ABOVE
