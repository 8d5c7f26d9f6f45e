"""Escalation: what is overdue is marked once and written of once, whoever looks and whatever is away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from governance.call import Clock, SystemClock
from governance.contract import operation_of
from governance.contract.refusals import SystemUnavailable
from process_apis.exceptions.escalation import Escalation
from process_apis.exceptions.settings import ExceptionSettings, QueueRules
from system_apis.canonical.refusals import MessageRefused
from system_apis.notifications.v1.contract import NotificationsV1
from tests.process_apis.exceptions.errands import EXCEPTIONS, Town, town

RULES = ExceptionSettings(stock=QueueRules(escalate_to="supply-planning@example.com"))
MAIL = "/system/notifications/v1/messages"


class Later(SystemClock):
    """The system's clock, some hours on."""

    def __init__(self, hours: float) -> None:
        self._on = timedelta(hours=hours)

    def now(self) -> datetime:
        return super().now() + self._on


class Away:
    """A mail system that fails as it is told, then takes letters."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.asked = 0

    async def send_message(self, message: Any) -> Any:
        self.asked += 1
        raise self._errors.pop(0)


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("escalation")) as world:
        yield world


def escalation(world: Town, clock: Clock, mail: Any = None, settings: ExceptionSettings = RULES) -> Escalation:
    stub = mail or world.assembly.stub("exceptions.v1", NotificationsV1, (operation_of(NotificationsV1.send_message),))
    return Escalation(world.flows, clock, stub, settings)


def test_what_is_overdue_is_marked_and_written_of_once(world: Town) -> None:
    found = world.stuck(world.send("bring"), "bring")
    early, late = escalation(world, Later(1.9)), escalation(world, Later(2.1))

    async def both() -> list[int]:
        return list(await asyncio.gather(late.look(), escalation(world, Later(2.1)).look()))

    assert world.run(early.look()) == 0
    assert sorted(world.run(both())) == [0, 1]
    assert world.run(late.look()) == 0

    told = world.get("platform", f"{EXCEPTIONS}/exceptions/{found['exception_id']}")
    assert told["escalated_at"] is not None
    assert [one["deed"] for one in told["deeds"]] == ["escalated", "notified"]
    letters = [one for one in world.collect("platform", MAIL) if found["exception_id"] in str(one)]
    assert [one["to"] for one in letters] == ["supply-planning@example.com"]
    assert found["flow_id"] in letters[0]["subject"]


def test_what_was_settled_in_time_is_left(world: Town) -> None:
    found = world.stuck(world.send("bring"), "bring")
    assert world.settle(found, "skip").status_code == 200
    assert world.run(escalation(world, Later(9)).look()) == 0


def test_a_letter_waits_while_the_mail_system_is_away(world: Town) -> None:
    found = world.stuck(world.send("bring"), "bring")
    assert world.run(escalation(world, Later(3), Away(SystemUnavailable())).look()) == 1
    told = world.get("platform", f"{EXCEPTIONS}/exceptions/{found['exception_id']}")
    assert [one["deed"] for one in told["deeds"]] == ["escalated"]
    assert world.run(escalation(world, Later(3)).look()) == 0
    told = world.get("platform", f"{EXCEPTIONS}/exceptions/{found['exception_id']}")
    assert [one["deed"] for one in told["deeds"]] == ["escalated", "notified"]


def test_a_letter_that_is_refused_is_not_tried_again(world: Town) -> None:
    world.stuck(world.send("bring"), "bring")
    mail = Away(MessageRefused(code=550, detail="no such address"))
    refusing = escalation(world, Later(3), mail)
    assert world.run(refusing.look()) == 1
    assert world.run(refusing.look()) == 0
    assert mail.asked == 1


def test_a_team_without_an_address_gets_no_letter(world: Town) -> None:
    found = world.stuck(world.send("bring"), "bring")
    mail = Away()
    assert world.run(escalation(world, Later(3), mail, ExceptionSettings()).look()) == 1
    told = world.get("platform", f"{EXCEPTIONS}/exceptions/{found['exception_id']}")
    assert ([one["deed"] for one in told["deeds"]], mail.asked) == (["escalated"], 0)


def test_a_company_has_its_own_times(world: Town) -> None:
    found = world.stuck(world.send("bring"), "bring")
    hasty = ExceptionSettings(stock=QueueRules(due_s=60))
    assert hasty.queues()["stock"].due_s == 60
    assert world.run(escalation(world, Later(0), settings=hasty).look()) == 0
    due = world.get("platform", f"{EXCEPTIONS}/exceptions/{found['exception_id']}")["due_at"]
    assert datetime.fromisoformat(due) - datetime.fromisoformat(found["opened_at"]) == timedelta(seconds=60)
    assert world.run(escalation(world, Later(0.02), settings=hasty).look()) == 1
