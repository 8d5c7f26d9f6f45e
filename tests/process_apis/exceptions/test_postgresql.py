"""Exceptions on PostgreSQL, where two who act at the same time really do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from governance.contract import operation_of
from process_apis.exceptions.escalation import Escalation
from process_apis.exceptions.settings import ExceptionSettings, QueueRules
from system_apis.notifications.v1.contract import NotificationsV1
from tests.process_apis.databases import postgresql
from tests.process_apis.exceptions.errands import EXCEPTIONS, Town, town
from tests.process_apis.exceptions.test_escalation import Later


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with postgresql() as urls, town(tmp_path_factory.mktemp("postgresql"), next(urls)) as world:
        yield world


async def settled_by(world: Town, exception: Any, who: str, choice: str) -> int:
    headers = {"authorization": f"Bearer {who}", "content-type": "application/json", "if-match": '"0"'}
    body = {"account_id": exception["account_id"], "choice": choice, "reason": f"as {who} says"}
    path = f"{EXCEPTIONS}/exceptions/{exception['exception_id']}/settlement"
    return (await world.client.put(path, headers=headers, content=msgspec.json.encode(body))).status_code


def test_of_many_who_settle_at_once_exactly_one_does(world: Town) -> None:
    errand = world.send("bring")
    found = world.stuck(errand, "bring")

    async def all_at_once() -> list[int]:
        choices = ("retry", "skip") * 3
        return list(
            await asyncio.gather(
                *(
                    settled_by(world, found, who, choice)
                    for who, choice in zip(("acme", "platform") * 3, choices, strict=True)
                )
            )
        )

    codes = world.run(all_at_once())
    told = world.get("platform", f"{EXCEPTIONS}/exceptions/{found['exception_id']}")
    same = sum(code == 200 for code in codes)
    assert set(codes) <= {200, 409, 412}
    assert same >= 1
    assert [one["deed"] for one in told["deeds"]] == ["decided"]
    assert told["status"] == "settled"


def test_of_many_who_look_exactly_one_escalates(world: Town) -> None:
    found = world.stuck(world.send("bring"), "bring")
    rules = ExceptionSettings(stock=QueueRules(escalate_to="stock@example.com"))
    mail = world.assembly.stub("exceptions.v1", NotificationsV1, (operation_of(NotificationsV1.send_message),))

    async def all_at_once() -> list[int]:
        looking = [Escalation(world.flows, Later(3), mail, rules) for _ in range(4)]
        return list(await asyncio.gather(*(one.look() for one in looking)))

    waiting = world.collect("platform", f"{EXCEPTIONS}/exceptions")
    assert sum(world.run(all_at_once())) == len(waiting)
    told = world.get("platform", f"{EXCEPTIONS}/exceptions/{found['exception_id']}")
    assert [one["deed"] for one in told["deeds"]] == ["escalated", "notified"]
