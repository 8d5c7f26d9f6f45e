"""The assembly: what an API may reach, and every wiring that can't be, with its sentence."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import pytest
from msgspec import Struct

from governance.contract import Contract, ContractError, CursorCodec, api_of, operation_of, read
from governance.contract.discovery import DiscoveredApi
from governance.contract.problems import Refusal
from governance.contract.refusals import InternalError
from tests.governance.bindings.sample_apis import BookLent, ShelvesV1
from tests.governance.bindings.sample_gateway import (
    HopForms,
    ask,
    assemble,
    calling,
    edge_of,
    shelves_of,
    shelves_stub,
)

NEEDED = (operation_of(ShelvesV1.get_book),)


def test_an_api_reaches_what_it_needs_and_nothing_else() -> None:
    stub = assemble().stub("loans.v1", ShelvesV1, NEEDED)
    assert [name for name in dir(stub) if not name.startswith("_")] == ["get_book"]
    sentence = "loans.v1 may not call shelves.v1.add_book: add ShelvesV1.add_book to its needs."
    with pytest.raises(AttributeError, match=re.escape(sentence)):
        _ = stub.add_book
    with pytest.raises(AttributeError, match=re.escape("ShelvesV1 has no operation burn_book.")):
        _ = stub.burn_book
    with pytest.raises(AttributeError):
        stub.get_book = None


def test_the_same_holds_of_a_remote_object() -> None:
    above = assemble(tiers=frozenset({"process", "experience"}), placement={"system": "http://below"})
    stub = above.stub("loans.v1", ShelvesV1, NEEDED)
    assert stub.get_book
    with pytest.raises(AttributeError, match=r"add ShelvesV1\.add_book to its needs"):
        _ = stub.add_book


@pytest.mark.anyio
@pytest.mark.expects_unexpected
async def test_grants_take_away_what_an_api_needs(unexpected: list[Any]) -> None:
    edge = edge_of(assemble(grants={"loans.v1": ("shelves.v1.add_book",)}))
    (await ask(edge, "GET", "/process/loans/v1/books/b1")).problem(500, "internal-error")
    assert "get_book" in str(unexpected[0].exc_info[1])
    reply = await ask(edge, "POST", "/process/loans/v1/books/b1/lend", headers={"Idempotency-Key": "k"})
    assert reply.status == 200


def test_only_the_tiers_of_this_process_are_served() -> None:
    here = assemble(tiers=frozenset({"system"}))
    assert set(here.services) == {"shelves.v1"}
    assert here.routes.roots == {b"system"}
    assert {operation.tier for operation, _ in here.chains} == {"system"}


@pytest.mark.parametrize(("placement", "credentials"), [({}, HopForms()), ({"system": "http://below"}, None)])
def test_a_tier_without_a_place_is_named(placement: dict[Any, str], credentials: HopForms | None) -> None:
    with pytest.raises(ContractError, match=r'write system = "http://host:port" under \[placement\] of tiergate.toml'):
        assemble(tiers=frozenset({"process"}), placement=placement, credentials=credentials)


def test_chains_are_the_same_stages_in_the_same_order() -> None:
    assembly = assemble()
    operation = operation_of(ShelvesV1.add_book)
    assert [link.name for link in assembly.chains[operation, "served"]] == [
        "annotate", "admit", "introduced", "decode", "shield", "encode",
    ]  # fmt: skip
    assert [link.name for link in assembly.chains[operation_of(ShelvesV1.get_book), "served"]] == [
        "annotate", "admit", "introduced", "decode", "encode",
    ]  # fmt: skip
    assert assembly.chains[operation, "local"] == ()


class Box(Struct, frozen=True):
    size: str


class BoxesV1(Contract, Protocol, owner="Tests", folder="system_apis.boxes.v1"):
    """Boxes."""

    @read("/boxes/{size}", scope="boxes.all:read", raises=[BookLent], public_because="Sample.")
    async def get_box(self, size: str, *, colour: str = "") -> Box:
        """A box."""
        ...


def assembled(service: type[Any]) -> Any:
    return assemble(apis=[DiscoveredApi(api=api_of(service), service=service, folder=Path())])


class Boxes(BoxesV1):
    async def get_box(self, size: str, *, colour: str = "") -> Box:
        return Box(size + colour)


def test_a_service_without_constructor_is_made() -> None:
    assert isinstance(assembled(Boxes).services["boxes.v1"], Boxes)


def test_a_signature_of_its_own_is_refused() -> None:
    class Renamed(BoxesV1):
        async def get_box(self, width: str, *, colour: str = "") -> Box:  # type: ignore[override] - the mistake
            return Box(width)

    with pytest.raises(
        ContractError, match=r"Renamed\.get_box takes \(width, colour\), BoxesV1 declares \(size, colour\)"
    ):
        assembled(Renamed)


def test_a_plain_function_is_refused() -> None:
    class Plain(BoxesV1):
        def get_box(self, size: str, *, colour: str = "") -> Any:  # type: ignore[override] - the mistake
            return Box(size)

    with pytest.raises(ContractError, match=r"Plain\.get_box must be `async def`"):
        assembled(Plain)


def test_what_can_not_be_injected_is_named() -> None:
    class Greedy(Boxes):
        def __init__(self, cursors: CursorCodec, path: Path) -> None: ...

    class Untyped(Boxes):
        def __init__(self, thing) -> None: ...  # type: ignore[no-untyped-def] - the mistake

    with pytest.raises(ContractError, match=r"Greedy\.__init__: nothing is there to inject for path: Path"):
        assembled(Greedy)
    with pytest.raises(ContractError, match=r"Untyped\.__init__: thing has no type"):
        assembled(Untyped)


@pytest.mark.anyio
@pytest.mark.expects_unexpected
async def test_verify_mode_catches_a_result_that_breaks_its_own_type(unexpected: list[Any]) -> None:
    with calling():
        assert (await shelves_stub(assemble(mode="direct")).get_book("bad-result")).book_id == "B A D"
        with pytest.raises(InternalError):
            await shelves_stub(assemble(mode="verify")).get_book("bad-result")
    assert ["get_book" in record.getMessage() for record in unexpected] == [True]


@pytest.mark.anyio
async def test_direct_calls_pass_results_by_reference_and_verified_ones_do_not() -> None:
    kept = Box("small")

    class Keeping(BoxesV1):
        async def get_box(self, size: str, *, colour: str = "") -> Box:
            return kept

    apis = [DiscoveredApi(api=api_of(Keeping), service=Keeping, folder=Path())]
    with calling():
        for mode, same in (("direct", True), ("verify", False)):
            stub = assemble(apis=apis, mode=mode).stub("x.v1", BoxesV1, api_of(BoxesV1).operations)  # type: ignore[arg-type] - a literal
            box = await stub.get_box("any")
            assert (box == kept, box is kept) == (True, same)


class SmallerLent(BookLent, status=409, type="smaller-lent", title="A smaller one is lent."):
    """A kind of a listed refusal, with a type of its own that no contract lists."""


@pytest.mark.anyio
@pytest.mark.expects_unexpected
async def test_a_kind_of_a_listed_refusal_is_not_listed() -> None:
    class Kinds(BoxesV1):
        async def get_box(self, size: str, *, colour: str = "") -> Box:
            refusal: type[Refusal] = SmallerLent if size == "smaller" else BookLent
            raise refusal(book_id="b", back_on=date(2026, 1, 1))

    apis = [DiscoveredApi(api=api_of(Kinds), service=Kinds, folder=Path())]
    stub = assemble(apis=apis).stub("x.v1", BoxesV1, api_of(BoxesV1).operations)
    with calling():
        with pytest.raises(BookLent):
            await stub.get_box("listed")
        with pytest.raises(InternalError):
            await stub.get_box("smaller")


@pytest.mark.anyio
async def test_an_order_over_three_tiers_carries_user_key_and_refusal() -> None:
    assembly = assemble(mode="verify")
    edge = edge_of(assembly)
    body = b'{"title": "b1", "copies": 1, "account_id": "A"}'
    first = await ask(edge, "POST", "/experience/counter/v1/loans", body=body, headers={"Idempotency-Key": "k"})
    again = await ask(edge, "POST", "/experience/counter/v1/loans", body=body, headers={"Idempotency-Key": "k"})
    assert (first.status, again.status) == (201, 201)
    keys = shelves_of(assembly).keys
    assert len(set(keys)) == 2
    assert keys[:2] == keys[2:]
    lent = body.replace(b"b1", b"lent")
    reply = await ask(edge, "POST", "/experience/counter/v1/loans", body=lent, headers={"Idempotency-Key": "k2"})
    assert reply.problem(409, "book-lent")["back_on"] == "2026-05-01"
