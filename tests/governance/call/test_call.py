"""The call under way: what a child inherits, its keys, and that calls don't see each other."""

from __future__ import annotations

import asyncio

import pytest

from governance.call import (
    AccountRequired,
    Accounts,
    Call,
    Principal,
    calling,
    child_key,
    current_call,
    enter,
    leave,
)

USER = Principal(
    subject="u",
    client_id="c",
    scopes=frozenset(("all:all",)),
    accounts=Accounts(ids=("HOME", "OTHER"), reach="subtree"),
)


def call(**more: object) -> Call:
    return Call(principal=USER, operation_id="portal.v1.order", idempotency_key="parent", **more)  # type: ignore[arg-type] - a test's shorthand


def test_a_child_acts_for_the_user_with_the_authority_of_one_operation() -> None:
    parent = call(request_id="r", traceparent="t", deadline=5.0, wait_s=1.5)
    child = parent.child("erp.v1.post", "portal.v1", "erp.orders:write", keyed=True)
    assert child.on_behalf_of is USER
    assert child.principal == Principal(
        subject="u",
        client_id="c",
        scopes=frozenset(("erp.orders:write",)),
        accounts=USER.accounts,
        acting_api="portal.v1",
    )
    assert (child.request_id, child.traceparent, child.deadline, child.wait_s) == ("r", "t", 5.0, 1.5)
    assert (child.operation_id, child.if_match, child.step, child.revision) == ("erp.v1.post", None, "", 0)
    grandchild = child.child("wms.v1.pick", "erp.v1", "wms.picks:write", keyed=False)
    assert grandchild.on_behalf_of is USER
    assert grandchild.principal.acting_api == "erp.v1"


def test_equal_calls_are_told_apart_by_their_place() -> None:
    keys = [parent.child("a", "x", "s", keyed=True).key for parent in [call()] for _ in range(3)]
    assert keys == [child_key("parent", "a", str(number)) for number in (1, 2, 3)]


def test_other_operations_and_reads_do_not_shift_the_place() -> None:
    parent = call()
    parent.child("b", "x", "s", keyed=True)
    parent.child("a", "x", "s", keyed=False)
    assert parent.child("a", "x", "s", keyed=True).key == child_key("parent", "a", "1")


def test_a_repeat_of_the_parent_derives_the_same_keys() -> None:
    first, second = call(), call()
    assert first.child("a", "x", "s", keyed=True).key == second.child("a", "x", "s", keyed=True).key


def test_a_step_names_its_effect_and_the_revision_renews_it() -> None:
    keys = [call(step="reserve", revision=revision).child("a", "x", "s", keyed=True).key for revision in (0, 0, 1)]
    assert keys == [child_key("parent", "a", "reserve", revision) for revision in (0, 0, 1)]


def test_an_unkeyed_parent_gives_keys_that_nothing_repeats() -> None:
    parents = [Call(principal=USER, operation_id="o") for _ in range(2)]
    one, other = (parent.child("a", "x", "s", keyed=True) for parent in parents)
    assert one.key != other.key
    assert len(one.key) == 26


def test_an_unkeyed_call_has_no_key() -> None:
    child = call().child("a", "x", "s", keyed=False)
    assert child.idempotency_key is None
    with pytest.raises(RuntimeError, match="a was called without an idempotency key"):
        _ = child.key


def test_the_home_account_is_the_first() -> None:
    assert (USER.account_id, call().account_id) == ("HOME", "HOME")
    nobody = Principal(subject="s", client_id="c")
    with pytest.raises(AccountRequired):
        _ = Call(principal=nobody, operation_id="o", on_behalf_of=nobody).account_id


def test_the_account_is_the_users_behind_an_inner_call() -> None:
    machine = Principal(subject="m", client_id="m", acting_api="x.v1")
    assert Call(principal=machine, operation_id="o", on_behalf_of=USER).account_id == "HOME"


def test_request_ids_are_made_where_none_is_given() -> None:
    ids = {Call(principal=USER, operation_id="o").request_id for _ in range(100)}
    assert len(ids) == 100
    assert {len(one) for one in ids} == {32}


def test_outside_every_binding_there_is_no_call() -> None:
    assert calling() is None
    with pytest.raises(LookupError):
        current_call()


def test_calls_at_once_do_not_see_each_other() -> None:
    async def one(number: int, all_in: asyncio.Barrier) -> tuple[int, str]:
        token = enter(Call(principal=USER, operation_id=f"o{number}"))
        try:
            await all_in.wait()
            return number, current_call().operation_id
        finally:
            leave(token)

    async def many() -> list[tuple[int, str]]:
        all_in = asyncio.Barrier(20)
        found = await asyncio.gather(*(one(number, all_in) for number in range(20)))
        assert calling() is None
        return found

    assert asyncio.run(many()) == [(number, f"o{number}") for number in range(20)]


def test_a_nested_call_gives_way_to_the_outer_when_it_ends() -> None:
    outer, inner = call(), call()
    first = enter(outer)
    second = enter(inner)
    assert current_call() is inner
    leave(second)
    assert current_call() is outer
    leave(first)
    assert calling() is None
