"""Processes done again: from a step, as a corrected run, singly and by filter, after a look at what would happen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.process_apis.exceptions.errands import EXCEPTIONS, Town, town


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("replays")) as world:
        yield world


def replay(
    world: Town, flow_id: str, step: str, *, who: str = "platform", key: str = "", **more: Any
) -> httpx2.Response:
    body = {"account_id": "ACME", "flow_id": flow_id, "step": step, "reason": "as agreed", **more}
    return world.ask(who, "POST", f"{EXCEPTIONS}/replays", body=body, key=key or f"{flow_id}-{step}-{more}")


def cancelled(world: Town, account_id: str = "ACME") -> str:
    """An errand that was cancelled, with everything undone."""
    errand = world.send("ask_price", account_id=account_id)
    assert world.settle(world.stuck(errand, "ask_price"), "cancel").status_code == 200
    world.ended(errand, "cancelled")
    world.errands.failing.clear()
    return errand


def test_a_look_changes_nothing(world: Town) -> None:
    errand = world.send("bring")
    world.stuck(errand, "bring")
    shown = replay(world, errand, "bring").json()
    assert (shown["outcome"], shown["steps"], shown["new_effects"]) == ("would_run", ["bring"], False)
    assert world.shelf.errands[errand].status == "on_hold"
    not_so = replay(world, errand, "fetch_money").json()
    assert (not_so["outcome"], not_so["steps"]) == ("not_allowed", [])
    assert "pivot" in not_so["why"]


def test_a_process_is_done_again_from_a_step(world: Town) -> None:
    errand = world.send("bring")
    found = world.stuck(errand, "bring")
    world.errands.failing.clear()
    done = replay(world, errand, "bring", dry_run=False).json()
    assert (done["outcome"], done["runs_as"]) == ("runs", errand)
    world.ended(errand, "completed")
    closed = world.get("platform", f"{EXCEPTIONS}/exceptions/{found['exception_id']}")
    assert closed["status"] == "closed"


def test_what_is_not_allowed_is_refused_and_says_why(world: Town) -> None:
    errand = world.send("bring")
    world.stuck(errand, "bring")
    refused = replay(world, errand, "buy", dry_run=False)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/wrong-state")
    assert "pivot" in refused.json()["detail"]


def test_a_corrected_run_has_its_own_id_and_is_made_once(world: Town) -> None:
    errand = cancelled(world)
    more: dict[str, Any] = {"corrected": True, "correction": '{"wish": "cake"}', "dry_run": False}
    runs = [replay(world, errand, "fetch_money", key="same", **more).json() for _ in range(2)]
    assert runs[0]["runs_as"] == runs[1]["runs_as"] != errand
    world.ended(runs[0]["runs_as"], "completed")
    assert world.shelf.errands[runs[0]["runs_as"]].wish == "cake"
    assert world.shelf.errands[errand].status == "cancelled"


def test_many_are_done_again_by_how_they_ended(world: Town) -> None:
    errands = [cancelled(world, "GLOBEX") for _ in range(3)]
    body: dict[str, Any] = {
        "account_id": "GLOBEX", "flow": "errand", "step": "fetch_money", "reason": "they want it after all",
        "outcome": "cancelled", "limit": 2,
    }  # fmt: skip
    shown = world.ask("globex", "POST", f"{EXCEPTIONS}/bulk-replays", body=body, key="look").json()
    assert ([one["outcome"] for one in shown["items"]], shown["more"]) == (["would_run"] * 2, True)
    assert all(one["new_effects"] for one in shown["items"])

    body |= {"limit": 50, "dry_run": False}
    done = world.ask("globex", "POST", f"{EXCEPTIONS}/bulk-replays", body=body, key="do").json()
    assert [(one["flow_id"], one["outcome"]) for one in done["items"]] == [(errand, "runs") for errand in errands]
    for errand in errands:
        world.ended(errand, "completed")
    again = world.ask("globex", "POST", f"{EXCEPTIONS}/bulk-replays", body=body, key="again").json()
    assert again["items"] == []
    body |= {"outcome": "completed", "started_until": "2020-01-01T00:00:00Z", "dry_run": True}
    assert world.ask("globex", "POST", f"{EXCEPTIONS}/bulk-replays", body=body, key="old").json()["items"] == []


def test_other_accounts_do_nothing_again(world: Town) -> None:
    errand = cancelled(world)
    assert replay(world, errand, "fetch_money", who="globex").status_code == 404
    assert replay(world, errand, "fetch_money", who="globex", account_id="GLOBEX").status_code == 404
    assert replay(world, "errand-0", "fetch_money", account_id="ACME").status_code == 404


def test_a_correction_belongs_to_a_corrected_run(world: Town) -> None:
    refused = replay(world, cancelled(world), "fetch_money", correction='{"wish": "cake"}')
    assert refused.status_code == 422
