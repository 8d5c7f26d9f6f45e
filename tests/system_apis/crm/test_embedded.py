"""The embedded CRM keeps the port's promises, over restarts and over processes that share its file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from governance.call import ManualClock
from governance.contract.problems import NotFound
from system_apis.canonical.refusals import UnknownAccount
from system_apis.crm.connectors.embedded.connector import Connector, Settings, SubjectActivities
from system_apis.embedded import RecordFiles, seed_rows
from tests.system_apis.crm.conformance import ACTIVITY, CASE, CONTACT, CrmPortConformance, account, quote

DAY_S = 86_400


@pytest.fixture
def files(tmp_path: Path) -> Iterator[RecordFiles]:
    files = RecordFiles(tmp_path)
    yield files
    files.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def port(files: RecordFiles, clock: ManualClock) -> Connector:
    return Connector(Settings(seed=False), files, clock)


class TestConformance(CrmPortConformance):
    """The embedded connector under the suite of its port."""


def test_an_unchanged_account_keeps_its_time_and_a_changed_one_does_not(port: Connector, clock: ManualClock) -> None:
    async def scenario() -> None:
        made = await port.put_account("ACME", account())
        clock.advance(60)
        assert (await port.put_account("ACME", account())).updated_at == made.updated_at
        changed = await port.put_account("ACME", account("Acme AG"))
        assert changed.updated_at == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)

    asyncio.run(scenario())


def test_a_sent_quote_expires_when_its_last_day_has_passed(port: Connector, clock: ManualClock) -> None:
    async def scenario() -> None:
        await port.put_account("ACME", account())
        made = await port.create_quote(quote(), "r-1")
        await port.send_quote(made.quote_id, "ACME", "s-1")
        clock.advance(8 * DAY_S - 1)
        assert (await port.get_quote(made.quote_id)).status == "sent"
        clock.advance(1)
        assert (await port.get_quote(made.quote_id)).status == "expired"

    asyncio.run(scenario())


def test_two_connectors_on_one_file_number_records_apart(tmp_path: Path) -> None:
    async def scenario() -> None:
        folders = [RecordFiles(tmp_path), RecordFiles(tmp_path)]
        left, right = (Connector(Settings(seed=False), files, ManualClock()) for files in folders)
        await left.put_account("ACME", account())
        made = await asyncio.gather(
            *(connector.create_case(CASE, f"r-{number}") for connector in (left, right) for number in range(20))
        )
        assert len({case.case_id for case in made}) == 20
        assert len(await right.list_cases(account_ids=("ACME",), status=None, after=None, limit=100)) == 20
        for files in folders:
            files.close()

    asyncio.run(scenario())


def test_a_restart_forgets_nothing_and_sows_nothing_twice(tmp_path: Path) -> None:
    async def life() -> tuple[int, int]:
        files = RecordFiles(tmp_path)
        connector = Connector(Settings(), files, ManualClock())
        await connector.start()
        await connector.create_contact(CONTACT, "r-1")
        accounts = await connector.list_accounts(
            account_ids=None, query=None, owner=None, parent_id=None, status=None, after=None, limit=200
        )
        contacts = await connector.list_contacts(account_ids=None, after=None, limit=200)
        await connector.stop()
        files.close()
        return len(accounts), len(contacts)

    assert asyncio.run(life()) == asyncio.run(life())


def test_the_dataset_gives_every_account_a_contact(files: RecordFiles, clock: ManualClock) -> None:
    async def scenario() -> None:
        connector = Connector(Settings(), files, clock)
        await connector.start()
        for row in seed_rows("accounts"):
            found = await connector.get_account(row["account_id"])
            assert (found.name, found.status, found.parent_id) == (row["name"], row["status"], row["parent_id"] or None)
            assert found.shipping_address.city == row["city"]
            assert await connector.list_contacts(account_ids=(found.account_id,), after=None, limit=1)

    asyncio.run(scenario())


def test_the_dataset_shows_every_state(files: RecordFiles, clock: ManualClock) -> None:
    async def scenario() -> None:
        connector = Connector(Settings(), files, clock)
        await connector.start()
        quotes = await connector.list_quotes(account_ids=None, status=None, after=None, limit=200)
        assert {found.status for found in quotes} == {"draft", "sent", "accepted", "declined", "expired"}
        products = {row["sku"] for row in seed_rows("products")}
        assert {line.sku for found in quotes for line in found.lines} <= products
        cases = await connector.list_cases(account_ids=None, status=None, after=None, limit=200)
        assert {case.status for case in cases} == {"open", "closed"}
        opportunities = await connector.list_opportunities(account_ids=None, stage=None, after=None, limit=200)
        assert {found.stage for found in opportunities} == {"qualifying", "proposing", "negotiating", "won", "lost"}

    asyncio.run(scenario())


def test_the_ledger_counts_what_was_noted_about_each_subject(port: Connector) -> None:
    async def scenario() -> None:
        await port.put_account("ACME", account())
        assert await port.ledger() == ()
        await port.create_activity(ACTIVITY, "r-1")
        await port.create_activity(ACTIVITY, "r-2")
        entry = SubjectActivities(subject_id="O-1", account_id="ACME", kind="order_completed", count=2)
        assert await port.ledger() == (entry,)

    asyncio.run(scenario())


def test_a_refused_write_leaves_nothing(port: Connector) -> None:
    async def scenario() -> None:
        with pytest.raises(UnknownAccount):
            await port.create_contact(CONTACT, "r-1")
        await port.put_account("ACME", account())
        made = await port.create_contact(CONTACT, "r-1")
        with pytest.raises(NotFound):
            await port.close_case("CAS-00000009", "ACME", "", "c-1")
        assert await port.find_case_by_reference("c-1") is None
        assert made.contact_id == "CON-00000001"

    asyncio.run(scenario())
