"""Exceptions v1 over a small process that fails as told: found, given to people, settled in each way, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from process_apis.events.tables import events
from tests.process_apis.exceptions.errands import EXCEPTIONS, Town, town

LIST = f"{EXCEPTIONS}/exceptions"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("exceptions")) as world:
        yield world


def detail(world: Town, exception: Any, who: str = "platform") -> Any:
    return world.get(who, f"{LIST}/{exception['exception_id']}")


def test_an_exception_falls_to_the_queue_of_its_step_with_what_can_be_done(world: Town) -> None:
    found = world.stuck(world.send("bring"), "bring")

    assert (found["queue"], found["kind"], found["problem"], found["status"]) == (
        "stock",
        "refusal",
        "wrong-state",
        "open",
    )
    assert found["choices"] == ["retry", "skip"]
    told = detail(world, found)
    assert {one["choice"]: one["would"] for one in told["would"]} == {
        "retry": "bring is asked again under the same key; what it did already is not done twice.",
        "skip": "The process goes on as if bring were done; nothing of it is done here.",
    }
    assert told["evidence"]["last_answer"] == "The shop is closed."
    assert told["evidence"]["past_pivot"] is True
    assert {"kind": "errand", "value": found["flow_id"]} in told["evidence"]["ids"]
    assert [one["step"] for one in told["evidence"]["tried"]][-1] == "bring"


def test_before_the_pivot_every_choice_is_open(world: Town) -> None:
    found = world.stuck(world.send("ask_price"), "ask_price")
    would = {one["choice"]: one["would"] for one in detail(world, found)["would"]}
    assert set(would) == {"retry", "skip", "amend", "cancel"}
    assert would["skip"].startswith("The process goes on with buy")
    assert would["cancel"] == "fetch_money is undone, and the process ends cancelled."
    assert would["amend"].startswith("fetch_money is undone, and the process begins anew")


def test_retry_asks_again(world: Town) -> None:
    errand = world.send("bring")
    found = world.stuck(errand, "bring")
    world.errands.failing.clear()
    settled = world.settle(found, "retry")
    assert (settled.status_code, settled.json()["status"], settled.json()["choice"]) == (200, "settled", "retry")
    world.ended(errand, "completed")
    assert world.errands.done.count("bring") == 1


def test_skip_goes_on_without_it(world: Town) -> None:
    errand = world.send("bring")
    assert world.settle(world.stuck(errand, "bring"), "skip").status_code == 200
    world.ended(errand, "completed")
    assert "bring" not in world.errands.done


def test_cancel_undoes_everything(world: Town) -> None:
    errand = world.send("ask_price")
    assert world.settle(world.stuck(errand, "ask_price"), "cancel").status_code == 200
    world.ended(errand, "cancelled")
    assert world.errands.done == ["fetch_money", "returned"]


def test_a_step_past_the_pivot_that_listens_is_told_of_a_cancel(world: Town) -> None:
    errand = world.send("wrap")
    found = world.stuck(errand, "wrap")
    would = {one["choice"]: one["would"] for one in detail(world, found)["would"]}
    assert set(would) == {"retry", "cancel"}
    assert would["cancel"].startswith("What has not left stays where it is")
    assert world.settle(found, "cancel").status_code == 200
    world.ended(errand, "completed")
    assert (world.shelf.errands[errand].wish, world.shelf.errands[errand].reason) == ("nothing", "as agreed")
    assert world.errands.done == ["fetch_money", "ask_price", "buy", "given up", "bring"]


def test_amend_undoes_everything_and_begins_anew(world: Town) -> None:
    errand = world.send("ask_price")
    found = world.stuck(errand, "ask_price")
    world.errands.failing.clear()
    assert world.settle(found, "amend", amendment='{"wish": "coffee"}').status_code == 200
    world.ended(errand, "completed")
    assert world.shelf.errands[errand].wish == "coffee"
    assert world.errands.done == ["fetch_money", "returned", "fetch_money", "ask_price", "buy", "wrap", "bring"]


def test_of_two_who_saw_the_same_the_second_is_told(world: Town) -> None:
    found = world.stuck(world.send("bring"), "bring")
    path = f"/exceptions/{found['exception_id']}/assignee"
    first = world.put("platform", path, {"account_id": "ACME", "assignee": "jana"}, found["revision"])
    assert (first.status_code, first.json()["assignee"], first.headers["etag"]) == (200, "jana", '"1"')
    second = world.settle(found, "skip")
    assert (second.status_code, second.json()["type"]) == (412, "/problems/precondition-failed")
    assert detail(world, found)["status"] == "open"
    assert world.settle(first.json(), "skip").status_code == 200


def test_a_settlement_asked_for_again_is_the_same_and_another_is_refused(world: Town) -> None:
    found = world.stuck(world.send("bring"), "bring")
    assert world.settle(found, "skip").status_code == 200
    assert world.settle(found, "skip").json()["choice"] == "skip"
    other = world.settle(found, "retry")
    assert (other.status_code, other.json()["type"]) == (409, "/problems/wrong-state")


def test_what_is_not_offered_is_refused(world: Town) -> None:
    found = world.stuck(world.send("bring"), "bring")
    refused = world.settle(found, "cancel")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/wrong-state")
    assert refused.json()["detail"] == "bring can't be settled by cancel; open are: retry, skip."
    assert detail(world, found)["deeds"] == []


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"choice": "amend"}, 422),
        ({"choice": "skip", "amendment": '{"wish": "x"}'}, 422),
        ({"choice": "amend", "amendment": "coffee"}, 422),
        ({"reason": ""}, 422),
    ],
)
def test_a_settlement_says_what_it_needs_to(world: Town, more: dict[str, Any], status: int) -> None:
    found = world.stuck(world.send("bring"), "bring")
    body = {"account_id": "ACME", "choice": "skip", "reason": "as agreed", **more}
    path = f"/exceptions/{found['exception_id']}/settlement"
    assert world.put("platform", path, body, found["revision"]).status_code == status
    assert world.put("platform", path, {**body, "choice": "retry", "reason": "none"}, None).status_code in (422, 428)


def test_it_is_assigned_commented_and_given_back(world: Town) -> None:
    found = world.stuck(world.send("bring"), "bring")
    path = f"/exceptions/{found['exception_id']}"
    taken = world.put("platform", f"{path}/assignee", {"account_id": "ACME", "assignee": "jana"}, 0)
    again = world.put("platform", f"{path}/assignee", {"account_id": "ACME", "assignee": "jana"}, 0)
    assert (taken.json()["revision"], again.status_code, again.json()["revision"]) == (1, 200, 1)
    assert [one["exception_id"] for one in world.collect("platform", LIST, assignee="jana", flow_id=found["flow_id"])]
    for _ in range(2):  # the second is a repeat whose first answer was lost
        said = world.ask(
            "platform", "POST", f"{EXCEPTIONS}{path}/comments", body={"account_id": "ACME", "text": "They call back."},
            key=f"comment-{found['exception_id']}",
        )  # fmt: skip
        assert (said.status_code, said.json()["revision"]) == (201, 2)
    back = world.put("platform", f"{path}/assignee", {"account_id": "ACME", "assignee": None}, 2)
    assert back.json()["assignee"] == ""
    deeds = [(one["deed"], one["by"], one["detail"]) for one in detail(world, found)["deeds"]]
    assert deeds == [
        ("assigned", "platform", "jana"), ("commented", "platform", "They call back."), ("unassigned", "platform", "jana"),
    ]  # fmt: skip
    marks = [one["outcome"] for one in detail(world, found)["evidence"]["tried"] if one["api"] == "exceptions.v1"]
    assert marks[-3:] == ["assigned", "commented", "unassigned"]
    assert world.collect("platform", LIST, unassigned="true", flow_id=found["flow_id"])


def test_other_accounts_see_and_touch_nothing(world: Town) -> None:
    found = world.stuck(world.send("bring"), "bring")
    assert world.ask("globex", "GET", f"{LIST}/{found['exception_id']}").status_code == 404
    assert found["exception_id"] not in [one["exception_id"] for one in world.collect("globex", LIST)]
    assert world.settle(found, "skip", who="globex").status_code == 404
    as_own = world.settle({**found, "account_id": "GLOBEX"}, "skip", who="globex")
    assert as_own.status_code == 404
    assert world.settle(found, "skip", who="acme").status_code == 200


def test_many_are_settled_alike_after_a_look_at_what_would_happen(world: Town) -> None:
    errands = [world.send("bring", account_id="GLOBEX") for _ in range(3)]
    for errand in errands:
        world.stuck(errand, "bring")
    body = {"queue": "stock", "choice": "skip", "reason": "picked up by hand", "account_id": "GLOBEX", "limit": 2}
    shown = world.ask("globex", "POST", f"{EXCEPTIONS}/settlements", body=body, key="dry").json()
    assert (shown["dry_run"], shown["more"]) == (True, True)
    assert [one["outcome"] for one in shown["items"]] == ["would_settle"] * 2
    assert all(one["would"].startswith("The process goes on") for one in shown["items"])
    assert all(world.shelf.errands[errand].status == "on_hold" for errand in errands)

    done = world.ask(
        "globex", "POST", f"{EXCEPTIONS}/settlements", body={**body, "dry_run": False, "limit": 50}, key="do"
    )
    assert [one["outcome"] for one in done.json()["items"]] == ["settled"] * 3
    for errand in errands:
        world.ended(errand, "completed")


def test_many_that_do_not_offer_it_are_left(world: Town) -> None:
    errand = world.send("bring", account_id="GLOBEX")
    world.stuck(errand, "bring")
    body = {"queue": "stock", "choice": "cancel", "reason": "no more", "account_id": "GLOBEX", "dry_run": False}
    (item,) = world.ask("globex", "POST", f"{EXCEPTIONS}/settlements", body=body, key="no").json()["items"]
    assert item["outcome"] == "not_offered"
    assert world.shelf.errands[errand].status == "on_hold"


def test_lists_are_paged_by_due_time_and_filtered(world: Town) -> None:
    for _ in range(3):
        world.stuck(world.send("ask_price", account_id="GLOBEX"), "ask_price")
    found = world.collect("globex", LIST, queue="credit", limit=1)
    assert len({one["exception_id"] for one in found}) == len(found) >= 3
    assert [one["due_at"] for one in found] == sorted(one["due_at"] for one in found)
    for filters in (
        {"problem": "no-stock"},
        {"step": "bring", "queue": "credit"},
        {"kind": "outage"},
        {"flow": "other"},
    ):
        assert world.collect("globex", LIST, **filters) == []
    assert world.collect("globex", LIST, queue="credit", due_before="2020-01-01T00:00:00Z") == []
    assert world.collect("globex", LIST, queue="credit", updated_since="2099-01-01T00:00:00Z") == []


def test_queues_tell_their_team_and_their_load(world: Town) -> None:
    world.stuck(world.send("bring"), "bring")
    queues = {one["queue"]: one for one in world.get("nobody", f"{EXCEPTIONS}/queues")["queues"]}
    assert list(queues)[:7] == ["orders", "credit", "stock", "payments", "invoices", "returns", "data_quality"]
    assert queues["stock"]["open"] >= 1
    assert queues["stock"]["unassigned"] >= 1
    assert (queues["returns"]["open"], queues["returns"]["next_due_at"]) == (0, None)
    assert queues["stock"]["owner"] == "Supply planning"


def test_what_becomes_of_an_exception_is_told_as_events(world: Town) -> None:
    errand = world.send("bring")
    found = world.stuck(errand, "bring")
    assert world.settle(found, "skip").status_code == 200

    def told(connection: sa.Connection) -> list[Any]:
        return list(connection.execute(sa.select(events).where(events.c.subject == errand).order_by(events.c.sequence)))

    rows = world.run(world.flows.read(told))
    assert [(row.type, row.account_id) for row in rows] == [("exception.opened", "ACME"), ("exception.settled", "ACME")]
    assert msgspec.json.decode(rows[1].data)["choice"] == "skip"
