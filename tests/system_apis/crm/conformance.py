"""What every CRM connector must do. Subclass it where the connector's tests are, with a ``port`` fixture.

The CRM behind the port holds nothing but what the suite writes, and its day is ``TODAY``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from governance.contract.problems import NotFound
from system_apis.canonical.entities import Quote
from system_apis.canonical.refusals import CurrencyMismatch, HierarchyLoop, ReferenceTaken, UnknownAccount, WrongState
from system_apis.canonical.values import Address, Money, UnitPrice
from system_apis.crm.drafts import (
    AccountDetails,
    NewActivity,
    NewCase,
    NewContact,
    NewOpportunity,
    NewQuote,
    NewQuoteLine,
    QuoteRevision,
)
from system_apis.crm.port import CrmPort

TODAY = date(2026, 1, 1)
NEXT_WEEK = TODAY + timedelta(days=7)
HOME = Address(name="Acme", street="Hafenstraße 12", city="Hamburg", country="DE")

CONTACT = NewContact(account_id="ACME", name="Katrin Vogel", email="kv@acme.example")
OPPORTUNITY = NewOpportunity(account_id="ACME", title="Bearings", value=Money(5_000, "EUR"), expected_close=NEXT_WEEK)
CASE = NewCase(account_id="ACME", subject="Open cartons", order_id="O-1")
ACTIVITY = NewActivity(account_id="ACME", kind="order_completed", summary="Order O-1 is complete", subject_id="O-1")


def account(name: str = "Acme Antriebstechnik", *, parent_id: str | None = None, owner: str = "Jana") -> AccountDetails:
    """An active account in Hamburg."""
    return AccountDetails(name=name, owner=owner, billing_address=HOME, shipping_address=HOME, parent_id=parent_id)


def line(
    price_minor: int = 1_999, *, currency: str = "EUR", quantity: int = 3, discount_bp: int = 1_000
) -> NewQuoteLine:
    """Three bearings at 19.99 less 10 %."""
    price = UnitPrice(Money(price_minor, currency))
    return NewQuoteLine(sku="BRG-6204", quantity=quantity, unit_price=price, discount_bp=discount_bp)


def quote(*lines: NewQuoteLine, account_id: str = "ACME", valid_until: date = NEXT_WEEK) -> NewQuote:
    """An offer that is good for a week."""
    return NewQuote(account_id=account_id, lines=lines or (line(),), valid_until=valid_until)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Play a scenario on an event loop of its own."""
    asyncio.run(scenario)


class CrmPortConformance:
    """The promises of ``CrmPort``."""

    def test_an_account_is_made_and_replaced_whole(self, port: CrmPort) -> None:
        async def scenario() -> None:
            with pytest.raises(NotFound):
                await port.get_account("ACME")
            made = await port.put_account("ACME", account())
            assert await port.get_account("ACME") == made
            assert await port.put_account("ACME", account()) == made
            replaced = await port.put_account("ACME", msgspec.structs.replace(account("Acme AG"), status="on_hold"))
            assert (replaced.name, replaced.status) == ("Acme AG", "on_hold")
            assert await port.get_account("ACME") == replaced

        run(scenario())

    def test_accounts_are_found_by_each_filter_and_page_by_page(self, port: CrmPort) -> None:
        async def scenario() -> None:
            await port.put_account("B", account("Süd Werke"))
            await port.put_account("C", account("Nord Werke", parent_id="B", owner="Marcus"))
            await port.put_account("A", msgspec.structs.replace(account("100%"), status="closed"))
            assert await _accounts(port) == ["A", "B", "C"]
            assert await _accounts(port, account_ids=("A", "C", "NOBODY")) == ["A", "C"]
            assert await _accounts(port, account_ids=("C",), query="werke") == ["C"]
            assert await _accounts(port, account_ids=()) == []
            assert await _accounts(port, query="SÜD") == ["B"]
            assert await _accounts(port, query="werke") == ["B", "C"]
            assert await _accounts(port, query="%") == ["A"]
            assert await _accounts(port, owner="Marcus") == ["C"]
            assert await _accounts(port, parent_id="B") == ["C"]
            assert await _accounts(port, status="closed") == ["A"]
            assert await _accounts(port, limit=2) == ["A", "B"]
            assert await _accounts(port, after="B") == ["C"]
            assert await _accounts(port, after="AA") == ["B", "C"]

        run(scenario())

    def test_the_hierarchy_is_a_forest(self, port: CrmPort) -> None:
        async def scenario() -> None:
            await port.put_account("TOP", account())
            await port.put_account("MID", account(parent_id="TOP"))
            await port.put_account("LOW", account(parent_id="MID"))
            await port.put_account("OTHER", account())
            assert (await port.get_subtree("TOP")).account_ids == ("LOW", "MID", "TOP")
            assert (await port.get_subtree("LOW")).account_ids == ("LOW",)
            with pytest.raises(NotFound):
                await port.get_subtree("NOBODY")
            for child, parent in (("TOP", "LOW"), ("TOP", "TOP"), ("NEW", "NEW")):
                with pytest.raises(HierarchyLoop):
                    await port.put_account(child, account(parent_id=parent))
            with pytest.raises(UnknownAccount):
                await port.put_account("TOP", account(parent_id="NOBODY"))
            await port.put_account("MID", account(parent_id="OTHER"))
            assert (await port.get_subtree("OTHER")).account_ids == ("LOW", "MID", "OTHER")

        run(scenario())

    def test_every_creation_is_once_for_each_reference(self, port: CrmPort) -> None:
        async def scenario() -> None:
            await port.put_account("ACME", account())
            await port.put_account("OTHER", account())
            for create, find, draft in _creations(port):
                assert await find("r-1") is None
                first = await create(draft, "r-1")
                assert await create(draft, "r-1") == first
                assert await find("r-1") == first
                assert await create(draft, "r-2") != first
                with pytest.raises(ReferenceTaken):
                    await create(msgspec.structs.replace(draft, account_id="OTHER"), "r-1")
                with pytest.raises(UnknownAccount):
                    await create(msgspec.structs.replace(draft, account_id="NOBODY"), "r-3")
                assert await find("r-3") is None

        run(scenario())

    def test_many_at_once_under_one_reference_make_one_record(self, port: CrmPort) -> None:
        async def scenario() -> None:
            await port.put_account("ACME", account())
            made = await asyncio.gather(*(port.create_activity(ACTIVITY, "r-1") for _ in range(25)))
            assert len({activity.activity_id for activity in made}) == 1
            listed = await port.list_activities(account_ids=None, subject_id="O-1", kind=None, after=None, limit=100)
            assert listed == (made[0],)

        run(scenario())

    def test_records_are_read_back_and_listed_by_account(self, port: CrmPort) -> None:
        async def scenario() -> None:
            await port.put_account("ACME", account())
            await port.put_account("OTHER", account())
            contact = await port.create_contact(CONTACT, "r-1")
            assert await port.get_contact(contact.contact_id) == contact
            other = await port.create_contact(msgspec.structs.replace(CONTACT, account_id="OTHER"), "r-2")
            assert await port.list_contacts(account_ids=None, after=None, limit=9) == (contact, other)
            assert await port.list_contacts(account_ids=("OTHER",), after=None, limit=9) == (other,)
            both = await port.list_contacts(account_ids=("NOBODY", "OTHER", "ACME"), after=None, limit=9)
            assert both == (contact, other)
            assert await port.list_contacts(account_ids=(), after=None, limit=9) == ()
            assert await port.list_contacts(account_ids=None, after=contact.contact_id, limit=9) == (other,)
            for get in (port.get_contact, port.get_opportunity, port.get_quote, port.get_case):
                with pytest.raises(NotFound):
                    await get("NOTHING-1")

        run(scenario())

    def test_an_opportunity_moves_until_it_is_won_or_lost(self, port: CrmPort) -> None:
        async def scenario() -> None:
            await port.put_account("ACME", account())
            opportunity_id = (await port.create_opportunity(OPPORTUNITY, "r-1")).opportunity_id
            won = await port.move_opportunity(opportunity_id, "ACME", "won", "m-1")
            assert won.stage == "won"
            assert await port.move_opportunity(opportunity_id, "ACME", "won", "m-1") == won
            assert await port.find_opportunity_by_reference("m-1") == won
            with pytest.raises(ReferenceTaken):
                await port.move_opportunity(opportunity_id, "ACME", "lost", "m-1")
            with pytest.raises(WrongState):
                await port.move_opportunity(opportunity_id, "ACME", "lost", "m-2")
            listed = await port.list_opportunities(account_ids=("ACME",), stage="won", after=None, limit=9)
            assert listed == (won,)
            assert await port.list_opportunities(account_ids=("ACME",), stage="lost", after=None, limit=9) == ()

        run(scenario())

    def test_a_quote_is_priced_by_line_in_one_currency(self, port: CrmPort) -> None:
        async def scenario() -> None:
            await port.put_account("ACME", account())
            made = await port.create_quote(quote(line(), line(5, quantity=1, discount_bp=5_000)), "r-1")
            assert [priced.net.amount_minor for priced in made.lines] == [5_397, 3]
            assert (made.total_net, made.status, made.revision) == (Money(5_400, "EUR"), "draft", 1)
            with pytest.raises(CurrencyMismatch):
                await port.create_quote(quote(line(), line(currency="USD")), "r-2")

        run(scenario())

    def test_a_quote_is_for_an_opportunity_of_its_own_account(self, port: CrmPort) -> None:
        async def scenario() -> None:
            await port.put_account("ACME", account())
            await port.put_account("OTHER", account())
            opportunity = await port.create_opportunity(OPPORTUNITY, "r-1")
            draft = msgspec.structs.replace(quote(), opportunity_id=opportunity.opportunity_id)
            assert (await port.create_quote(draft, "q-1")).opportunity_id == opportunity.opportunity_id
            with pytest.raises(NotFound):
                await port.create_quote(msgspec.structs.replace(draft, account_id="OTHER"), "q-2")

        run(scenario())

    def test_a_quote_goes_from_draft_to_one_order(self, port: CrmPort) -> None:
        async def scenario() -> None:
            await port.put_account("ACME", account())
            quote_id = (await port.create_quote(quote(), "r-1")).quote_id
            with pytest.raises(WrongState):
                await port.accept_quote(quote_id, "ACME", "a-0")
            assert (await port.send_quote(quote_id, "ACME", "s-1")).status == "sent"
            accepted = await port.accept_quote(quote_id, "ACME", "a-1")
            assert await port.accept_quote(quote_id, "ACME", "a-1") == accepted
            ordered = await port.mark_quote_ordered(quote_id, "ACME", "O-1", "o-1")
            assert (ordered.status, ordered.order_id) == ("ordered", "O-1")
            assert await port.mark_quote_ordered(quote_id, "ACME", "O-1", "o-2") == ordered
            assert await port.find_quote_by_reference("o-1") == ordered
            for refused in (
                port.mark_quote_ordered(quote_id, "ACME", "O-2", "o-3"),
                port.send_quote(quote_id, "ACME", "s-2"),
                port.decline_quote(quote_id, "ACME", "d-1"),
                port.revise_quote(
                    quote_id, QuoteRevision(account_id="ACME", lines=(line(),), valid_until=NEXT_WEEK), "v-1"
                ),
            ):
                with pytest.raises(WrongState):
                    await refused
            with pytest.raises(ReferenceTaken):
                await port.mark_quote_ordered(quote_id, "ACME", "O-2", "o-1")

        run(scenario())

    def test_an_expired_quote_is_revised_or_left(self, port: CrmPort) -> None:
        async def scenario() -> None:
            await port.put_account("ACME", account())
            stale = await port.create_quote(quote(valid_until=TODAY - timedelta(days=1)), "r-1")
            last_day = await port.create_quote(quote(valid_until=TODAY), "r-2")
            assert (stale.status, last_day.status) == ("expired", "draft")
            assert await _quotes(port, "expired") == (stale,)
            assert await _quotes(port, "draft") == (last_day,)
            with pytest.raises(WrongState) as caught:
                await port.send_quote(stale.quote_id, "ACME", "s-1")
            assert caught.value.state == "expired"
            revision = QuoteRevision(account_id="ACME", lines=(line(quantity=1, discount_bp=0),), valid_until=NEXT_WEEK)
            revised = await port.revise_quote(stale.quote_id, revision, "v-1")
            assert (revised.status, revised.revision, revised.total_net) == ("draft", 2, Money(1_999, "EUR"))
            assert await port.revise_quote(stale.quote_id, revision, "v-1") == revised
            await port.send_quote(stale.quote_id, "ACME", "s-2")
            assert (await port.decline_quote(stale.quote_id, "ACME", "d-1")).status == "declined"

        run(scenario())

    def test_a_change_finds_no_record_of_another_account(self, port: CrmPort) -> None:
        async def scenario() -> None:
            await port.put_account("ACME", account())
            await port.put_account("OTHER", account())
            opportunity = await port.create_opportunity(OPPORTUNITY, "r-1")
            drawn = await port.create_quote(quote(), "r-1")
            sent = await port.send_quote(drawn.quote_id, "ACME", "s-1")
            case = await port.create_case(CASE, "r-1")
            revision = QuoteRevision(account_id="OTHER", lines=(line(),), valid_until=NEXT_WEEK)
            for refused in (
                port.move_opportunity(opportunity.opportunity_id, "OTHER", "won", "x-1"),
                port.revise_quote(drawn.quote_id, revision, "x-2"),
                port.send_quote(drawn.quote_id, "OTHER", "s-1"),
                port.accept_quote(drawn.quote_id, "OTHER", "x-3"),
                port.decline_quote(drawn.quote_id, "OTHER", "x-4"),
                port.mark_quote_ordered(drawn.quote_id, "OTHER", "O-1", "x-5"),
                port.close_case(case.case_id, "OTHER", "", "x-6"),
            ):
                with pytest.raises(NotFound):
                    await refused
            assert await port.get_opportunity(opportunity.opportunity_id) == opportunity
            assert await port.get_quote(drawn.quote_id) == sent
            assert await port.get_case(case.case_id) == case

        run(scenario())

    def test_a_case_is_closed_once(self, port: CrmPort) -> None:
        async def scenario() -> None:
            await port.put_account("ACME", account())
            case = await port.create_case(CASE, "r-1")
            assert (case.status, case.order_id) == ("open", "O-1")
            closed = await port.close_case(case.case_id, "ACME", "Sent again", "c-1")
            assert (closed.status, closed.resolution) == ("closed", "Sent again")
            assert await port.close_case(case.case_id, "ACME", "Sent again", "c-1") == closed
            with pytest.raises(ReferenceTaken):
                await port.close_case(case.case_id, "ACME", "Other", "c-1")
            with pytest.raises(WrongState):
                await port.close_case(case.case_id, "ACME", "Sent again", "c-2")
            assert await port.list_cases(account_ids=("ACME",), status="closed", after=None, limit=9) == (closed,)
            assert await port.list_cases(account_ids=("ACME",), status="open", after=None, limit=9) == ()

        run(scenario())


async def _accounts(port: CrmPort, **asked: Any) -> list[str]:
    filters: dict[str, Any] = {
        "account_ids": None,
        "query": None,
        "owner": None,
        "parent_id": None,
        "status": None,
        "after": None,
        "limit": 100,
        **asked,
    }
    return [found.account_id for found in await port.list_accounts(**filters)]


async def _quotes(port: CrmPort, status: str) -> tuple[Quote, ...]:
    return await port.list_quotes(account_ids=None, status=status, after=None, limit=9)


def _creations(port: CrmPort) -> list[tuple[Callable[..., Awaitable[Any]], Callable[[str], Awaitable[Any]], Any]]:
    return [
        (port.create_contact, port.find_contact_by_reference, CONTACT),
        (port.create_opportunity, port.find_opportunity_by_reference, OPPORTUNITY),
        (port.create_quote, port.find_quote_by_reference, quote()),
        (port.create_case, port.find_case_by_reference, CASE),
        (port.create_activity, port.find_activity_by_reference, ACTIVITY),
    ]
