"""Ownership: two principals, every way in which a record can be named, and the same answer as for nothing."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

import pytest
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from governance.call import Accounts, Binding, Call, Exchange, ManualClock, Principal
from governance.contract import (
    Contract,
    Cursor,
    Limit,
    NotFound,
    Operation,
    Page,
    Refusal,
    action,
    by,
    create,
    operation_of,
    read,
    remove,
    search,
)
from governance.contract.refusals import SystemUnavailable
from governance.policies.ownership import Enforcement, Settings

pytestmark = pytest.mark.anyio
AccountId = Annotated[str, Meta(pattern=r"^[A-Z-]+$")]


class UnknownAccount(Refusal, status=404, type="sample-unknown-account", title="No such account."):
    """The directory has no such account."""


class Order(Struct, frozen=True, kw_only=True):
    order_id: str
    account_id: AccountId


class Draft(Struct, frozen=True, kw_only=True):
    account_id: AccountId


class Line(Struct, frozen=True, kw_only=True):
    sku: str
    account_id: AccountId | None = None


class Basket(Struct, frozen=True, kw_only=True):
    lines: tuple[Line, ...]
    ship_to: Draft | None = None
    note: str = ""


class Change(Struct, frozen=True, kw_only=True):
    account_id: AccountId | UnsetType = UNSET


class Shipped(Struct, frozen=True, kw_only=True):
    order: Order
    also: tuple[Order, ...] = ()


class Orphan(Struct, frozen=True, kw_only=True):
    account_id: AccountId | None = None


class Tree(Struct, frozen=True, kw_only=True):
    account_ids: tuple[str, ...]


class OrdersV1(Contract, Protocol, owner="Tests", folder="process_apis.orders.v1"):
    """Orders."""

    @read("/orders/{order_id}", scope="orders.orders:read", visible=by("account_id"))
    async def get_order(self, order_id: str) -> Order:
        """One order."""
        ...

    @search("/orders", scope="orders.orders:read", visible=by("account_id"))
    async def list_orders(
        self, *, account_id: AccountId | None = None, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[Order]:
        """Orders."""
        ...

    @create("/orders", scope="orders.orders:write", visible=by("account_id"))
    async def post_order(self, order: Draft) -> Order:
        """A new order."""
        ...

    @create("/baskets", scope="orders.orders:write", visible=by("account_id"))
    async def post_basket(self, basket: Basket) -> Order:
        """A new basket."""
        ...

    @create("/changes", scope="orders.orders:write", visible=by("account_id"))
    async def post_change(self, change: Change) -> Shipped:
        """A change."""
        ...

    @action("/orders/{order_id}/cancel", scope="orders.orders:write", visible=by("account_id"))
    async def cancel_order(self, order_id: str) -> Order:
        """Cancel one."""
        ...

    @remove("/orders/{order_id}", scope="orders.orders:write", public_because="Replaced below.")
    async def remove_order(self, order_id: str) -> None:
        """Remove one."""
        ...

    @read("/orphans/{orphan_id}", scope="orders.orders:read", visible=by("account_id"))
    async def get_orphan(self, orphan_id: str) -> Orphan:
        """A record of nobody."""
        ...

    @read("/trees/{tree_id}", scope="orders.orders:read", visible=by("account_ids"))
    async def get_tree(self, tree_id: str) -> Tree:
        """Several accounts."""
        ...

    @read("/news", scope="orders.news:read", public_because="News are for all.")
    async def get_news(self) -> Order:
        """Nobody's."""
        ...


REMOVE = structs.replace(operation_of(OrdersV1.remove_order), visibility=by("account_id"))
"""What the contract language refuses to declare: an account that is nowhere to be found."""
ACME = Accounts(ids=("ACME",))


class Hierarchy:
    """GROUP has ACME and EMEA below it, EMEA has ACME-DE."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False

    async def subtree(self, account_id: str) -> frozenset[str]:
        self.asked.append(account_id)
        if self.away:
            raise SystemUnavailable(detail="CRM is away.")
        below = {"GROUP": {"GROUP", "ACME", "EMEA", "ACME-DE"}, "EMEA": {"EMEA", "ACME-DE"}}
        if account_id not in below:
            raise UnknownAccount()
        return frozenset(below[account_id])


class Court:
    """The policy, and calls under it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.hierarchy = Hierarchy()
        self.policy = Enforcement(Settings(subtree_ttl_s=60), self.clock, self.hierarchy)
        self.effects = 0
        self.listed: tuple[str, ...] | None = None

    async def call(
        self,
        method: Any,
        arguments: tuple[Any, ...],
        result: Any,
        accounts: Accounts = ACME,
        binding: Binding = "served",
    ) -> Any:
        operation = method if isinstance(method, Operation) else operation_of(method)
        wrap = self.policy.enforce(operation, binding)
        assert wrap is not None
        exchange = Exchange(operation, binding)
        exchange.arguments = arguments
        user = Principal(subject="u", client_id="c", accounts=accounts)
        caller = Principal(subject="u", client_id="c", accounts=Accounts(reach="all"), acting_api="x.v1")
        exchange.call = Call(principal=caller, on_behalf_of=user, operation_id=operation.id)

        async def inner(_: Exchange) -> Any:
            self.effects += 1
            self.listed = exchange.under.listed_accounts(None)
            return result

        return await wrap(inner)(exchange)

    async def refused(self, *args: Any, **kwargs: Any) -> None:
        with pytest.raises(NotFound) as refusal:
            await self.call(*args, **kwargs)
        assert refusal.value.detail == ""
        assert refusal.value.members() == {}


@pytest.fixture
def court() -> Court:
    return Court()


MINE, YOURS = Order(order_id="1", account_id="ACME"), Order(order_id="2", account_id="GLOBEX")
BINDINGS: tuple[Binding, ...] = ("served", "local")


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_record_is_there_for_its_account_only(court: Court, binding: Binding) -> None:
    assert await court.call(OrdersV1.get_order, ("1",), MINE, binding=binding) is MINE
    await court.refused(OrdersV1.get_order, ("2",), YOURS, binding=binding)


async def test_the_user_behind_the_call_counts_and_not_the_calling_api(court: Court) -> None:
    await court.refused(OrdersV1.get_order, ("1",), MINE, accounts=Accounts(ids=("GLOBEX",)))


async def test_whoever_sees_all_sees_all(court: Court) -> None:
    everyone = Accounts(reach="all")
    assert await court.call(OrdersV1.get_order, ("2",), YOURS, everyone) is YOURS
    assert await court.call(REMOVE, ("2",), None, everyone) is None
    assert await court.call(OrdersV1.list_orders, (None, 50, None), Page((MINE, YOURS)), everyone)


async def test_whoever_has_no_account_sees_nothing(court: Court) -> None:
    for reach in ("own", "subtree"):
        await court.refused(OrdersV1.get_order, ("1",), MINE, accounts=Accounts(reach=reach))


async def test_several_accounts_may_be_ones_own(court: Court) -> None:
    both = Accounts(ids=("ACME", "GLOBEX"))
    assert await court.call(OrdersV1.list_orders, (None, 50, None), Page((MINE, YOURS)), both)


async def test_arguments_are_judged_before_the_effect(court: Court) -> None:
    await court.refused(OrdersV1.post_order, (Draft(account_id="GLOBEX"),), MINE)
    await court.refused(OrdersV1.list_orders, ("GLOBEX", 50, None), Page(()))
    assert court.effects == 0
    assert await court.call(OrdersV1.post_order, (Draft(account_id="ACME"),), MINE) is MINE
    assert court.effects == 1


@pytest.mark.parametrize(
    "basket",
    [
        Basket(lines=(Line(sku="a"), Line(sku="b", account_id="GLOBEX"))),
        Basket(lines=(Line(sku="a", account_id="ACME"), Line(sku="b", account_id="GLOBEX"))),
        Basket(lines=(), ship_to=Draft(account_id="GLOBEX")),
    ],
)
async def test_accounts_one_level_below_are_judged_too(court: Court, basket: Basket) -> None:
    await court.refused(OrdersV1.post_basket, (basket,), MINE)
    assert court.effects == 0


async def test_what_is_left_out_names_nobody(court: Court) -> None:
    assert await court.call(OrdersV1.post_basket, (Basket(lines=(Line(sku="a"),)),), MINE) is MINE
    assert await court.call(OrdersV1.list_orders, (None, 50, None), Page((MINE,)))
    assert await court.call(OrdersV1.post_change, (Change(),), Shipped(order=MINE))


async def test_every_item_of_a_page_is_judged(court: Court) -> None:
    assert await court.call(OrdersV1.list_orders, ("ACME", 50, None), Page((MINE, MINE)))
    assert await court.call(OrdersV1.list_orders, ("ACME", 50, None), Page(()))
    await court.refused(OrdersV1.list_orders, ("ACME", 50, None), Page((MINE, YOURS)))
    await court.refused(OrdersV1.list_orders, (None, 50, None), Page((YOURS,)))


async def test_records_inside_a_result_are_judged(court: Court) -> None:
    assert await court.call(OrdersV1.post_change, (Change(),), Shipped(order=MINE, also=(MINE,)))
    await court.refused(OrdersV1.post_change, (Change(),), Shipped(order=YOURS))
    await court.refused(OrdersV1.post_change, (Change(),), Shipped(order=MINE, also=(MINE, YOURS)))


async def test_all_accounts_of_a_list_must_be_visible(court: Court) -> None:
    assert await court.call(OrdersV1.get_tree, ("t",), Tree(account_ids=("ACME",)))
    await court.refused(OrdersV1.get_tree, ("t",), Tree(account_ids=("ACME", "GLOBEX")))


async def test_a_record_of_nobody_is_for_those_who_see_all(court: Court) -> None:
    await court.refused(OrdersV1.get_orphan, ("o",), Orphan())
    await court.refused(OrdersV1.get_orphan, ("o",), Orphan(), accounts=Accounts(ids=("GROUP",), reach="subtree"))
    assert await court.call(OrdersV1.get_orphan, ("o",), Orphan(), Accounts(reach="all")) == Orphan()


async def test_an_operation_that_names_no_account_is_closed_to_those_who_do_not_see_all(court: Court) -> None:
    await court.refused(REMOVE, ("1",), None)
    assert court.effects == 0


# Subtrees

GROUP = Accounts(ids=("GROUP",), reach="subtree")


async def test_a_subtree_is_visible(court: Court) -> None:
    for account_id in ("GROUP", "ACME", "ACME-DE"):
        record = Order(order_id="1", account_id=account_id)
        assert await court.call(OrdersV1.get_order, ("1",), record, GROUP) is record
    await court.refused(OrdersV1.get_order, ("2",), YOURS, accounts=GROUP)
    await court.refused(OrdersV1.get_order, ("1",), MINE, accounts=Accounts(ids=("EMEA",), reach="subtree"))


async def test_own_records_need_no_directory(court: Court) -> None:
    await court.call(OrdersV1.get_order, ("1",), MINE, Accounts(ids=("ACME",), reach="subtree"))
    await court.call(OrdersV1.get_order, ("1",), MINE)
    assert court.hierarchy.asked == []


async def test_the_directory_is_remembered_for_its_time(court: Court) -> None:
    for _ in range(3):
        await court.call(OrdersV1.get_order, ("1",), MINE, GROUP)
    assert court.hierarchy.asked == ["GROUP"]
    court.clock.advance(60)
    await court.call(OrdersV1.get_order, ("1",), MINE, GROUP)
    assert court.hierarchy.asked == ["GROUP", "GROUP"]


async def test_an_account_that_the_directory_does_not_know_has_nothing_below(court: Court) -> None:
    stranger = Accounts(ids=("NEW",), reach="subtree")
    await court.refused(OrdersV1.get_order, ("1",), MINE, accounts=stranger)
    assert await court.call(OrdersV1.get_order, ("1",), Order(order_id="1", account_id="NEW"), stranger)


async def test_a_directory_that_is_away_opens_nothing(court: Court) -> None:
    court.hierarchy.away = True
    with pytest.raises(SystemUnavailable):
        await court.call(OrdersV1.get_order, ("1",), MINE, GROUP)
    court.hierarchy.away = False
    assert await court.call(OrdersV1.get_order, ("1",), MINE, GROUP) is MINE


# Declarations


def test_records_of_nobody_cost_nothing(court: Court) -> None:
    assert court.policy.enforce(operation_of(OrdersV1.get_news), "served") is None


def findings(court: Court, operation: Operation) -> list[tuple[str, str]]:
    return [(one.id, one.severity) for one in court.policy.audit(operation)]


def test_audit_finds_accounts_that_are_nowhere_or_too_late(court: Court) -> None:
    assert findings(court, REMOVE) == [("OW-001", "error")]
    assert findings(court, operation_of(OrdersV1.cancel_order)) == [("OW-002", "warning")]
    for method in (OrdersV1.get_order, OrdersV1.list_orders, OrdersV1.post_order, OrdersV1.get_news):
        assert findings(court, operation_of(method)) == []


def test_what_it_documents_and_proves(court: Court) -> None:
    operations = [operation_of(one) for one in (OrdersV1.get_order, OrdersV1.get_news)]
    assert [court.policy.document(one).problems for one in operations] == [(NotFound,), ()]
    probes = [(probe.token, probe.expect_status) for one in operations for probe in court.policy.prove(one)]
    assert probes == [("other-account", 404)]
