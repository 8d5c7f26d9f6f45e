"""Flows write to the right person in the account's language, once, and nothing about it stops them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from governance.call import SystemClock
from governance.contract import api_of
from process_apis.correspondence import Correspondence, Role
from process_apis.flow.initiator import Initiator
from process_apis.flow.run import Run
from system_apis.canonical.refusals import MessageRefused
from system_apis.crm.drafts import NewContact
from system_apis.crm.v1.contract import CrmV1
from system_apis.crm.v1.service import Crm
from system_apis.notifications.messages import Message
from system_apis.notifications.port import MessageFilter
from system_apis.notifications.v1.contract import NotificationsV1
from system_apis.notifications.v1.model import OrderCancelled
from system_apis.notifications.v1.service import Notifications
from tests.process_apis.world import World, running

CONTENT = OrderCancelled(order_id="ord-1", order_reference="PO-1")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("letters"), "verify", (Crm, Notifications)) as world:
        yield world


def run_of(flow_id: str) -> Run[None]:
    clock = SystemClock()
    who = Initiator(
        subject="s", client_id="c", operation_id="tests.v1.any", at=datetime(2026, 1, 1, tzinfo=UTC), reach="all"
    )
    return Run(flow_id=flow_id, api_id="tests.v1", key=flow_id, revision=0, initiator=who, state=None, clock=clock)


def tell(world: World, run: Run[None], account_id: str, role: Role = "buyer") -> bool:
    def stub(contract: Any) -> Any:
        return world.assembly.stub("tests.v1", contract, api_of(contract).operations)

    letters = Correspondence(stub(CrmV1), stub(NotificationsV1))

    async def told() -> bool:
        with run.at("tell"):
            return await letters.tell(run, account_id, CONTENT, role)

    return world.run(told())


def sent(world: World, account_id: str) -> list[Message]:
    which = MessageFilter(account_ids=(account_id,))
    return [message for _, message in world.run(world.notifications.list_messages(which, 0, 100))]


@pytest.mark.parametrize(
    ("role", "address"),
    [
        ("finance", "buchhaltung@acme-antrieb.example"),
        ("executive", "sabine.pohl@acme-antrieb.example"),
        ("receiving", "katrin.vogel@acme-antrieb.example"),
    ],
)
def test_the_contact_of_the_role_is_written_to_or_else_the_first(world: World, role: Role, address: str) -> None:
    assert tell(world, run_of(f"f-{role}"), "ACME", role)
    last = sent(world, "ACME")[-1]
    assert (last.to, last.language) == (address, "de")


def test_a_step_that_runs_again_writes_once(world: World) -> None:
    run = run_of("f-again")
    before = len(sent(world, "GLOBEX"))
    assert tell(world, run, "GLOBEX")
    assert tell(world, run, "GLOBEX")
    assert len(sent(world, "GLOBEX")) == before + 1
    assert run.notes[-1].detail.endswith("denise.carter@globex-supply.example, delivered")


def test_what_was_written_first_stands_when_crm_changes_in_between(world: World) -> None:
    run = run_of("f-changed")
    assert tell(world, run, "VANDERMEER", "receiving")
    buyer = NewContact(
        account_id="VANDERMEER", name="New Buyer", email="new@vandermeer-banden.example", role="receiving"
    )
    world.run(world.crm.create_contact(buyer, "new-buyer"))
    assert tell(world, run, "VANDERMEER", "receiving")
    assert [one.to for one in sent(world, "VANDERMEER")] == ["joost@vandermeer-banden.example"]
    assert tell(world, run_of("f-later"), "VANDERMEER", "receiving")
    assert sent(world, "VANDERMEER")[-1].to == "new@vandermeer-banden.example"


def test_nobody_to_write_to_is_noted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(**_: Any) -> Any:
        return ()

    monkeypatch.setattr(world.crm, "list_contacts", nobody)
    run = run_of("f-nobody")
    assert not tell(world, run, "ACME")
    assert (run.notes[-1].operation, run.notes[-1].outcome) == ("tell", "nobody_to_tell")


def test_an_address_that_no_mail_can_have_is_passed_over(world: World) -> None:
    wrong = NewContact(account_id="NORDLUFT", name="Wrong", email="päivi@nordluft.example", role="finance")
    world.run(world.crm.create_contact(wrong, "wrong"))
    assert tell(world, run_of("f-wrong"), "NORDLUFT", "finance")
    assert sent(world, "NORDLUFT")[-1].to == "mette@nordluft.example"


def test_a_reader_who_refuses_mail_is_noted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*_: Any) -> Any:
        raise MessageRefused(code=550, detail="No such mailbox")

    monkeypatch.setattr(world.notifications, "send_message", refused)
    run = run_of("f-refused")
    assert not tell(world, run, "ACME")
    assert (run.notes[-1].outcome, run.notes[-1].detail) == ("refused", "No such mailbox")
