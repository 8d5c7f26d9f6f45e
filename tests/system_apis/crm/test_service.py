"""CRM v1 over the embedded CRM: keys become references, and lists go on where they stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from governance.call import Accounts, Call, ManualClock, Principal, enter, leave
from governance.contract import CursorCodec, api_of
from governance.contract.refusals import InvalidParameters
from system_apis.canonical.refusals import ReferenceTaken
from system_apis.crm.connectors.embedded.connector import Connector, Settings
from system_apis.crm.v1 import service
from system_apis.crm.v1.contract import CrmV1
from system_apis.crm.v1.model import CaseClosing, ForAccount, OpportunityMove, QuoteOrder
from system_apis.crm.v1.service import Crm
from system_apis.embedded import RecordFiles
from tests.system_apis.crm.conformance import ACTIVITY, CASE, CONTACT, OPPORTUNITY, account, quote


@contextmanager
def keyed(key: str) -> Generator[None]:
    """Under a call with this idempotency key."""
    principal = Principal(subject="test", client_id="test", accounts=Accounts(reach="all"))
    token = enter(Call(principal=principal, operation_id="crm.v1.any", idempotency_key=key))
    try:
        yield
    finally:
        leave(token)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Connector]:
    files = RecordFiles(tmp_path)
    yield Connector(Settings(seed=False), files, ManualClock())
    files.close()


@pytest.fixture
def crm(port: Connector) -> Crm:
    return Crm(port, CursorCodec(b"test"))


def test_every_operation_reads_back_what_it_wrote(crm: Crm, port: Connector) -> None:
    async def scenario() -> None:
        made = await crm.put_account("ACME", account())
        assert await crm.get_account("ACME") == made
        assert (await crm.get_subtree("ACME")).account_ids == ("ACME",)
        with keyed("k-1"):
            contact = await crm.create_contact(CONTACT)
            opportunity = await crm.create_opportunity(OPPORTUNITY)
            drawn = await crm.create_quote(quote())
            case = await crm.create_case(CASE)
            activity = await crm.create_activity(ACTIVITY)
            assert await crm.create_activity(ACTIVITY) == activity
            with pytest.raises(ReferenceTaken):
                await crm.create_activity(msgspec.structs.replace(ACTIVITY, summary="Other"))
        assert await port.find_activity_by_reference("k-1") == activity
        assert await crm.get_contact(contact.contact_id) == contact
        assert await crm.get_opportunity(opportunity.opportunity_id) == opportunity
        assert await crm.get_quote(drawn.quote_id) == drawn
        assert await crm.get_case(case.case_id) == case
        assert (await crm.list_contacts(account_id="ACME")).items == (contact,)
        assert (await crm.list_activities(subject_id="O-1")).items == (activity,)

    asyncio.run(scenario())


def test_actions_go_under_the_key_of_their_call(crm: Crm, port: Connector) -> None:
    async def scenario() -> None:
        await crm.put_account("ACME", account())
        with keyed("k-1"):
            quote_id = (await crm.create_quote(quote())).quote_id
            case_id = (await crm.create_case(CASE)).case_id
            opportunity_id = (await crm.create_opportunity(OPPORTUNITY)).opportunity_id
        with keyed("k-2"):
            await crm.send_quote(quote_id, ForAccount(account_id="ACME"))
            assert (
                await crm.close_case(case_id, CaseClosing(account_id="ACME", resolution="Done"))
            ).resolution == "Done"
            assert (
                await crm.move_opportunity(opportunity_id, OpportunityMove(account_id="ACME", stage="won"))
            ).stage == "won"
        with keyed("k-3"):
            await crm.accept_quote(quote_id, ForAccount(account_id="ACME"))
        with keyed("k-4"):
            ordered = await crm.mark_quote_ordered(quote_id, QuoteOrder(account_id="ACME", order_id="O-1"))
        assert await port.find_quote_by_reference("k-4") == ordered
        assert (await crm.list_quotes(status="ordered")).items == (ordered,)
        assert (await crm.list_cases(status="closed")).items
        assert (await crm.list_opportunities(stage="won")).items

    asyncio.run(scenario())


def test_a_list_goes_on_where_it_stopped(crm: Crm) -> None:
    async def scenario() -> None:
        for number in range(5):
            await crm.put_account(f"A{number}", account())
        first = await crm.list_accounts(limit=2)
        second = await crm.list_accounts(limit=2, cursor=first.next_cursor)
        third = await crm.list_accounts(limit=2, cursor=second.next_cursor)
        found = [item.account_id for page in (first, second, third) for item in page.items]
        assert found == ["A0", "A1", "A2", "A3", "A4"]
        assert third.next_cursor is None
        with pytest.raises(InvalidParameters):
            await crm.list_accounts(status="active", cursor=first.next_cursor)

    asyncio.run(scenario())


def test_cursors_are_bound_to_operations_that_exist() -> None:
    searches = {operation.id for operation in api_of(CrmV1).operations if operation.kind == "search"}
    assert searches == {
        service.ACCOUNTS,
        service.CONTACTS,
        service.OPPORTUNITIES,
        service.QUOTES,
        service.CASES,
        service.ACTIVITIES,
    }
