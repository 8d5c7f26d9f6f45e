"""Every rule of the contract language, each broken once, with the sentence that is told."""

from __future__ import annotations

from typing import Any, Protocol

import pytest

from governance.contract import (
    Contract,
    ContractError,
    Cursor,
    Delivery,
    Limit,
    Page,
    amend,
    by,
    create,
    inbound,
    read,
    remove,
    replace,
    search,
)
from tests.governance.contract.rules import (
    PUBLIC,
    Body,
    NotBusiness,
    Other,
    declare,
    refused,
    thing,
)

# ---------------------------------------------------------------------------------------- the class


def test_a_sound_contract_passes() -> None:
    assert declare(thing())


@pytest.mark.parametrize(
    "folder", ["", "system_apis.sample", "system_apis.Sample.v1", "other_apis.sample.v1", "system_apis.sample.v0"]
)
def test_it_stands_in_its_folder(folder: str) -> None:
    with pytest.raises(ContractError, match="a contract belongs in"):
        declare(thing(), folder=folder)


def test_it_has_an_owner() -> None:
    with pytest.raises(ContractError, match="names no owner: write owner="):
        declare(thing(), owner=" ")


def test_it_has_a_docstring() -> None:
    with pytest.raises(ContractError, match="SampleV1 has no docstring"):

        class SampleV1(Contract, Protocol, owner="Tests", folder="system_apis.sample.v1"):  # pyright: ignore[reportUnusedClass]
            method = thing()


def test_protocol_is_among_its_bases() -> None:
    with pytest.raises(ContractError, match="has an owner but not Protocol among its bases: write Protocol last"):

        class SampleV1(Contract, owner="Tests", folder="system_apis.sample.v1"):  # pyright: ignore[reportUnusedClass]
            """A sample."""


def test_it_is_not_derived_from_another_version() -> None:
    first = declare(thing())
    with pytest.raises(ContractError, match="is derived from SampleV1: a version states all of its operations itself"):

        class SampleV2(first, Protocol, owner="Tests", folder="system_apis.sample.v2"):  # type: ignore[misc, valid-type]  # pyright: ignore[reportUnusedClass]
            """A sample."""


def test_it_has_operations() -> None:
    with pytest.raises(ContractError, match="declares no operation"):

        class SampleV1(Contract, Protocol, owner="Tests", folder="system_apis.sample.v1"):  # pyright: ignore[reportUnusedClass]
            """A sample."""


def test_every_method_has_a_decorator() -> None:
    async def method(self: object) -> Body: ...

    with pytest.raises(ContractError, match=r"SampleV1\.method has no decorator"):
        declare(method)


def test_no_two_operations_share_method_and_path() -> None:
    with pytest.raises(ContractError, match=r"are both GET /system/sample/v1/things/\{name\}"):

        class SampleV1(Contract, Protocol, owner="Tests", folder="system_apis.sample.v1"):  # pyright: ignore[reportUnusedClass]
            """A sample."""

            @read("/things/{thing_id}", **PUBLIC)
            async def get_thing(self, thing_id: str) -> Body:
                """By id."""
                ...

            @read("/things/{name}", **PUBLIC)
            async def get_named(self, name: str) -> Body:
                """By name."""
                ...


# ---------------------------------------------------------------------------------------- the method


def test_a_method_is_async() -> None:
    def method(self: object) -> Body: ...

    refused(read("/things", **PUBLIC), method, "must be `async def`")


def test_a_method_says_what_it_returns() -> None:
    async def method(self: object): ...  # type: ignore[no-untyped-def]  # what is tested

    refused(read("/things", **PUBLIC), method, "does not say what it returns")


def test_a_method_has_a_docstring() -> None:
    async def method(self: object) -> Body: ...

    with pytest.raises(ContractError, match=r"SampleV1\.method has no docstring"):
        declare(read("/things", **PUBLIC)(method))


def test_a_parameter_has_a_type() -> None:
    async def method(self: object, name) -> Body: ...  # type: ignore[no-untyped-def]  # what is tested

    refused(read("/things", **PUBLIC), method, "parameter name has no type")


def test_parameters_are_named() -> None:
    async def method(self: object, *names: str) -> Body: ...

    refused(read("/things", **PUBLIC), method, r"takes \*names: name every parameter")


@pytest.mark.parametrize("template", ["things", "/Things", "/things/", "/my_things", "/things/{Id}", "//things", ""])
def test_a_path_is_kebab_case(template: str) -> None:
    async def method(self: object) -> Body: ...

    refused(read(template, **PUBLIC), method, "must be kebab-case segments")


@pytest.mark.parametrize("scope", ["things", "sample.things", "Sample.things:read", "sample.things:", "sample:read"])
def test_a_scope_reads_api_resource_verb(scope: str) -> None:
    async def method(self: object) -> Body: ...

    refused(read("/things", scope=scope, public_because="A sample."), method, "must read like erp.sales-orders:write")


def test_a_path_names_only_parameters() -> None:
    async def method(self: object) -> Body: ...

    refused(read("/things/{thing_id}", **PUBLIC), method, "its path names thing_id, its signature does not")


def test_a_path_parameter_has_no_default() -> None:
    async def method(self: object, thing_id: str = "x") -> Body: ...

    refused(read("/things/{thing_id}", **PUBLIC), method, "path parameter thing_id can't have a default")


def test_a_default_keeps_to_its_type() -> None:
    async def method(self: object, *, limit: Limit = 500) -> Body: ...

    refused(read("/things", **PUBLIC), method, "the default of limit breaks its own type: Expected `int` <= 200")


def test_a_path_parameter_is_never_a_body() -> None:
    async def method(self: object, thing_id: Body) -> Body: ...

    refused(read("/things/{thing_id}", **PUBLIC), method, "path and query parameters are str, int")


@pytest.mark.parametrize("annotation", [bytes, tuple[str, ...], dict[str, str], object])
def test_a_query_parameter_is_a_scalar(annotation: Any) -> None:
    async def method(self: object, value: Any) -> Body: ...

    method.__annotations__["value"] = annotation
    refused(read("/things", **PUBLIC), method, "path and query parameters are str, int")


def test_an_operation_says_whose_records_it_handles() -> None:
    async def method(self: object) -> Body: ...

    refused(read("/things", scope="sample.things:read"), method, "must say whose records it handles")


def test_an_operation_is_not_visible_and_public_at_once() -> None:
    async def method(self: object) -> Body: ...

    refused(read("/things", visible=by("account_id"), **PUBLIC), method, "and not both")


def test_the_field_that_decides_visibility_exists() -> None:
    async def method(self: object, name: str) -> Other: ...

    decorator = read("/things", scope="sample.things:read", visible=by("account_id"))
    refused(decorator, method, "neither its arguments nor its result have account_id")


@pytest.mark.parametrize("problem", [NotBusiness, ValueError, "torn"])
def test_raises_lists_refusals(problem: Any) -> None:
    async def method(self: object) -> Body: ...

    refused(read("/things", raises=[problem], **PUBLIC), method, "list classes derived from Refusal")


# ---------------------------------------------------------------------------------------- bodies and results


def test_there_is_one_body() -> None:
    async def method(self: object, one: Body, two: Other) -> Body: ...

    refused(create("/things", **PUBLIC), method, "takes 2 Structs: an operation has one body")


@pytest.mark.parametrize("decorator", [read, remove])
def test_reading_and_removing_have_no_body(decorator: Any) -> None:
    async def method(self: object, one: Body) -> None: ...

    refused(decorator("/things", **PUBLIC), method, "has no body; pass one as query parameters")


@pytest.mark.parametrize("decorator", [replace, amend])
def test_a_change_has_a_body(decorator: Any) -> None:
    async def method(self: object, thing_id: str) -> Body: ...

    refused(decorator("/things/{thing_id}", **PUBLIC), method, "needs a body: a Struct-typed parameter")


def test_only_an_inbound_operation_takes_a_delivery_and_it_takes_nothing_else() -> None:
    async def none(self: object) -> Body: ...

    async def other(self: object, thing: Body) -> Body: ...

    async def more(self: object, delivery: Delivery, thing_id: str = "") -> Body: ...

    async def taken(self: object, delivery: Delivery) -> Body: ...

    sentence = "takes one Delivery and nothing else"
    for method in (none, other, more):
        refused(inbound("/events", **PUBLIC), method, sentence)
    refused(create("/events", **PUBLIC), taken, sentence)


def test_a_search_returns_a_page() -> None:
    async def method(self: object, *, limit: Limit = 50, cursor: Cursor | None = None) -> Body: ...

    refused(search("/things", **PUBLIC), method, r"a search returns Page")


def test_a_call_costs_at_least_one() -> None:
    async def method(self: object) -> Body: ...

    refused(read("/things", **PUBLIC, cost=0), method, "cost=0 must be at least 1")


def test_a_search_takes_limit_and_cursor() -> None:
    async def method(self: object, *, limit: Limit = 50) -> Page[Body]: ...

    refused(search("/things", **PUBLIC), method, "a search takes `limit: Limit = 50` and `cursor")


def test_a_remove_returns_nothing() -> None:
    async def method(self: object) -> Body: ...

    refused(remove("/things", **PUBLIC), method, "a remove returns None")


def test_a_location_is_filled_from_the_result() -> None:
    async def method(self: object, body: Body) -> Body: ...

    refused(create("/things", location="/things/{thing_id}", **PUBLIC), method, "location names thing_id")
