"""Object-level attacks: a stranger asks for another account's records on every operation, in every binding.

Each attack is compared with the same request about something that is not there: status, problem, members
and headers must be alike, so that nothing tells a record of another account from none. Then the owner asks,
and gets it. OWASP API Security Top 10 2023, API1.
"""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from governance.call import Accounts, Call, Principal, SystemClock, enter, leave
from governance.contract import Operation, Problem
from governance.identity import HopTokens, KeyFile
from governance.prove import Reply, sample_of
from governance.prove.samples import sample_value
from tests.conformance.belongings import (
    ATTACKER,
    NOBODY,
    OWNER,
    STRANGER,
    Belongings,
    arguments_of,
    belongings_of,
    mixed,
    names_account,
    names_in,
    nothing_of,
)
from tests.conformance.conftest import Served
from tests.conformance.every_operation import EVERY, OPERATIONS

pytestmark = pytest.mark.anyio
OWNED = [name for name in EVERY if OPERATIONS[name].visibility.fields]
LISTS = [name for name in OWNED if OPERATIONS[name].kind == "search"]
SHOWING = {*LISTS, *(name for name in OWNED if OPERATIONS[name].streams and "{" not in OPERATIONS[name].path)}
"""They show everybody their own; nothing in the request names a record."""
ID_FILTERS = ("order_id", "sales_order_id", "subject_id", "reference")
FILTERED = [
    name
    for name in LISTS
    if OPERATIONS[name].tier == "system" and any(one.name in ID_FILTERS for one in OPERATIONS[name].parameters)
]
UNDOING = {
    "erp.v1.cancel_sales_order", "erp.v1.release_reservation", "logistics.v1.cancel_shipment", "payments.v1.void",
    "erp.v1.cancel_credit_memo", "erp.v1.cancel_received_payment", "erp.v1.cancel_return",
}  # fmt: skip
"""They answer 200 for a reference that nobody used, and bar it; another account's reference is not there."""
MASTER_DATA = {"catalogue.v1.list_account_products", "portal.v1.list_products"}
"""Their cursors are those of the ERP's product list, which belongs to no account; the prices on it do."""
WAYS = ("token", "subtree", "hop")
VOLATILE = ("request_id", "instance")
_numbers = count()
PASSING = ("ratelimit", "request-id", "etag", "location")


class World(Struct, frozen=True):
    served: Served
    hops: HopTokens
    owner: Belongings
    stranger: Belongings

    async def ask(
        self, operation: Operation, who: str, about: Belongings, way: str = "token", key: str = "", **more: Any
    ) -> Reply:
        """What ``who`` is answered about what ``about`` names."""
        given = {**arguments_of(operation, about, filters=more.pop("filters", False)), **more}
        sample = sample_of(operation, key=key or f"{who}-{about.account}-{way}-{next(_numbers)}", given=given)
        client = f"{who}:{way}:{operation.id}"
        if way == "hop":
            user = Principal(subject=client, client_id=client, accounts=Accounts(ids=(who,)))
            token = self.hops.token_for(user, "attacker.v1", operation)
        else:
            token = self.served.token_of(operation, client, who, "subtree" if way == "subtree" else "own")
        return await self.served.send(
            sample.method, sample.target, {**sample.headers, "Authorization": f"Bearer {token}"}, sample.body
        )


@pytest.fixture(scope="module")
async def world(served: Served) -> World:
    keys = KeyFile(served.home / "keys" / "hop.json").load_or_create()
    await belongings_of(served, OWNER, turn=2)  # so that lists have a next page
    owner, stranger = [await belongings_of(served, account) for account in (OWNER, STRANGER)]
    return World(served, HopTokens(keys, SystemClock()), owner, stranger)


def shape(reply: Reply, *names: Belongings) -> tuple[int, dict[str, str], Any]:
    """The answer without what differs between any two requests."""
    headers = {name: value for name, value in reply.headers.items() if not name.startswith(PASSING)}
    headers.pop("content-length", None)
    text = reply.body.decode()
    for one in names:
        for known in (*one.ids.values(), one.account):
            text = text.replace(known, "…")
    document = json.loads(text)
    if reply.status < 300:
        return reply.status, headers, sorted(document)
    return reply.status, headers, {name: value for name, value in document.items() if name not in VOLATILE}


def ways_of(operation: Operation) -> tuple[str, ...]:
    """No API calls an experience API, so nothing hops there."""
    return WAYS[:2] if operation.tier == "experience" else WAYS


@pytest.mark.parametrize("name", [name for name in OWNED if name not in SHOWING])
async def test_another_accounts_record_is_not_there(world: World, name: str) -> None:
    operation = world.served.operations[name]
    nowhere = nothing_of(NOBODY, world.owner)
    nothing = nothing_of(ATTACKER, world.owner)
    disguised = mixed(ATTACKER, world.owner)
    names_record = names_in(operation, world.owner)
    for way in ways_of(operation):
        if names_account(operation):
            attack = await world.ask(operation, ATTACKER, world.owner, way)
            assert (attack.status, attack.problem) == (404, "not-found"), (way, attack.body)
            ghost = await world.ask(operation, ATTACKER, nowhere, way)
            assert shape(attack, world.owner) == shape(ghost, nowhere), way
        if names_record:
            attack = await world.ask(operation, ATTACKER, disguised, way)
            ghost = await world.ask(operation, ATTACKER, nothing, way)
            if name in UNDOING:
                assert (attack.status, attack.problem) == (404, "not-found"), (way, attack.body)
                assert "detail" not in attack.problem_members
            else:
                assert shape(attack, disguised) == shape(ghost, nothing), way
            if operation.kind in ("read", "action", "replace"):
                assert (attack.status, attack.problem) == (404, "not-found"), (way, attack.body)


@pytest.mark.parametrize("name", [name for name in OWNED if OPERATIONS[name].kind != "search"])
async def test_its_owner_has_it_and_its_answer_is_nobody_elses(world: World, name: str) -> None:
    operation = world.served.operations[name]
    key = f"owners-{name}"
    reply = await world.ask(operation, OWNER, world.owner, key=key)
    refusals = {problem.type for problem in operation.raises}
    assert reply.status == operation.success_status or reply.problem in refusals, reply.body
    if operation.safe:
        assert reply.status == 200
        if operation.tier != "experience":
            assert OWNER in reply.body.decode()
    for known in names_in(operation, world.owner) if operation.kind == "read" else ():
        assert known in reply.body.decode()
    if not operation.keyed:
        return
    again = await world.ask(operation, OWNER, world.owner, key=key)
    assert (again.status, again.headers["idempotency-replayed"]) == (reply.status, "true")
    stolen = await world.ask(operation, ATTACKER, world.owner, key=key)
    assert "idempotency-replayed" not in stolen.headers
    if names_account(operation) or names_in(operation, world.owner):
        assert (stolen.status, stolen.problem) == (404, "not-found"), stolen.body


async def test_nobody_hangs_an_account_below_anothers(world: World) -> None:
    operation = world.served.operations["crm.v1.put_account"]
    detail = arguments_of(operation, mixed(ATTACKER, world.owner))["account"]
    replies: list[Reply] = []
    for parent in (OWNER, NOBODY):
        body = {**detail, "parent_id": parent}
        replies.append(await world.ask(operation, ATTACKER, mixed(ATTACKER, world.owner), account=body))
    attack, ghost = replies
    assert (attack.status, attack.problem) == (ghost.status, "unknown-account")
    assert attack.body.replace(OWNER.encode(), b"") != attack.body  # only what was sent comes back
    reply = await world.ask(operation, OWNER, world.owner, account={**detail, "parent_id": None})
    assert reply.status == 200


INNER = [name for name in OWNED if OPERATIONS[name].tier != "experience" and name not in SHOWING]


@pytest.mark.parametrize("name", INNER)
async def test_no_local_call_reaches_it(world: World, name: str) -> None:
    operation = world.served.operations[name]

    async def outcome(about: Belongings) -> str:
        given = arguments_of(operation, about)
        arguments = {
            one.name: msgspec.convert(given.get(one.name, sample_value(one.type)), one.type)
            for one in operation.parameters
            if one.required
        }
        user = Principal(subject="u", client_id="u", accounts=Accounts(ids=(ATTACKER,)))
        token = enter(
            Call(principal=user, operation_id="attacker.v1.attack", idempotency_key=f"local-{next(_numbers)}")
        )
        try:
            await getattr(stub, operation.name)(**arguments)
        except Problem as problem:
            return problem.type
        finally:
            leave(token)
        return "done"

    contract = next(api.contract for api in world.served.apis if api.id == operation.api_id)
    stub = world.served.application.state.assembly.stub("attacker.v1", contract, (operation,))
    if names_account(operation):
        assert await outcome(world.owner) == "not-found"
    if names_in(operation, world.owner) and operation.kind != "create":
        assert await outcome(mixed(ATTACKER, world.owner)) == "not-found"


def own_ids(operation: Operation, whose: Belongings, reply: Reply) -> set[str]:
    """Which of somebody's records an answer shows."""
    assert reply.status == 200, (operation.id, reply.body)
    text = reply.body.decode()
    return {known for known in (*whose.ids.values(), whose.account) if f'"{known}"' in text}


@pytest.mark.parametrize("name", LISTS)
async def test_lists_show_everybody_their_own(world: World, name: str) -> None:
    operation = world.served.operations[name]
    in_path = any(one.where == "path" and one.name in operation.visibility.fields for one in operation.parameters)
    for way in ways_of(operation):
        shown: dict[str, set[str]] = {}
        for own, other in ((world.owner, world.stranger), (world.stranger, world.owner)):
            reply = await world.ask(operation, own.account, own, way, limit=200)
            assert not own_ids(operation, other, reply), way
            shown[own.account] = own_ids(operation, own, reply)
            assert json.loads(reply.body)["items"], (way, own.account)
        if operation.tier != "experience":
            assert all(shown.values()), (way, shown)
        if in_path or names_account(operation):
            nowhere = nothing_of(NOBODY, world.owner)
            attack = await world.ask(operation, STRANGER, world.owner, way, filters=True)
            ghost = await world.ask(operation, STRANGER, nowhere, way, filters=True)
            assert (attack.status, attack.problem) == (404, "not-found"), (way, attack.body)
            assert shape(attack, world.owner) == shape(ghost, nowhere), way


@pytest.mark.parametrize("name", FILTERED)
async def test_filters_find_nothing_of_others(world: World, name: str) -> None:
    operation = world.served.operations[name]
    disguised, nothing = mixed(STRANGER, world.owner), nothing_of(STRANGER, world.owner)
    for way in ways_of(operation):
        attack = await world.ask(operation, STRANGER, disguised, way, filters=True)
        ghost = await world.ask(operation, STRANGER, nothing, way, filters=True)
        assert (attack.status, json.loads(attack.body)["items"]) == (200, []), way
        assert shape(attack, disguised) == shape(ghost, nothing)
    for known in [
        one.name for one in operation.parameters if world.owner.id_of(operation, one.name) in world.owner.ids.values()
    ]:
        reply = await world.ask(
            operation, OWNER, world.owner, "token", "", **{known: world.owner.id_of(operation, known)}
        )
        assert json.loads(reply.body)["items"], f"the owner finds nothing by {known}"


@pytest.mark.parametrize("name", [name for name in LISTS if name not in MASTER_DATA])
async def test_anothers_cursor_leads_nowhere(world: World, name: str) -> None:
    operation = world.served.operations[name]
    page = await world.ask(operation, OWNER, world.owner, limit=1)
    cursor = json.loads(page.body)["next_cursor"]
    if name == "crm.v1.list_accounts":  # a company sees one account, its own
        cursor = "A"
    assert cursor is not None
    follow = await world.ask(operation, OWNER, world.owner, limit=1, cursor=cursor)
    assert follow.status == (400 if cursor == "A" else 200)
    for about in (world.stranger, world.owner):
        stolen = await world.ask(operation, STRANGER, about, limit=1, cursor=cursor)
        made_up = await world.ask(operation, STRANGER, about, limit=1, cursor="A" * len(cursor))
        assert shape(stolen) == shape(made_up), about.account
        assert stolen.status in (400, 404)


def test_every_operation_that_holds_records_is_attacked(world: World) -> None:
    unnamed = {
        name
        for name in OWNED
        if name not in LISTS and not names_account(OPERATIONS[name]) and not names_in(OPERATIONS[name], world.owner)
    }
    assert unnamed == {"portal.v1.get_account", "portal.v1.get_product", "portal.v1.place_order"}  # the token's own
    assert len(OWNED) > 80
