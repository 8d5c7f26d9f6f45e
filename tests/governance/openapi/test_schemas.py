"""Schemas by direction: requests closed, responses open."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from msgspec import Struct

from governance.contract import ContractError, Page, Problem
from governance.openapi import document
from governance.openapi.schemas import Schemas, markdown, without_null
from governance.wire.body import body_decoder
from tests.governance.openapi.sample import API, Introduced, Nested, NewRoom, Place, Room

COMPONENTS: dict[str, Any] = document(API, [Introduced()])["components"]["schemas"]
ROOM: dict[str, Any] = {
    "code": "attic",
    "owner_id": "o",
    "place": {"floor": 1},
    "means": {"means": "cash", "amount_minor": 5},
}


def accepts(name: str, value: Any) -> bool:
    root = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": COMPONENTS}}
    return Draft202012Validator(root).is_valid(value)


def test_a_struct_that_goes_both_ways_has_two_schemas() -> None:
    assert {"Place", "PlaceInput", "NewRoom", "Room", "RoomPage"} <= set(COMPONENTS)
    assert not {"RoomInput", "NewRoomInput", "Page_Room_"} & set(COMPONENTS)


def test_a_request_is_closed_and_its_words_are_enumerated() -> None:
    schema = COMPONENTS["PlaceInput"]
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["floor"]
    assert schema["properties"]["wing"] == {"type": "string", "enum": ["east", "west"], "default": "east"}


def test_a_response_is_open_and_its_words_may_grow() -> None:
    schema = COMPONENTS["Room"]
    assert "additionalProperties" not in schema
    assert schema["properties"]["status"] == {"type": "string", "x-extensible-enum": ["free", "taken"]}
    assert schema["properties"]["step"] == {"type": "integer", "enum": [1, 10]}


def test_a_response_requires_what_is_always_written() -> None:
    assert COMPONENTS["Room"]["required"] == list(COMPONENTS["Room"]["properties"])
    assert COMPONENTS["Place"]["required"] == ["floor"]
    assert COMPONENTS["Place"]["properties"]["wing"]["default"] == "east"


def test_bounds_formats_and_examples_come_from_the_types() -> None:
    room = COMPONENTS["Room"]["properties"]
    assert room["code"] == {
        "type": "string",
        "pattern": "^[a-z]{1,10}$",
        "description": "A room's code.",
        "examples": ["attic"],
    }
    assert room["booked_at"] == {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}
    assert room["days"] == {"type": "array", "items": {"type": "string", "format": "date"}}
    assert room["corner"]["prefixItems"] == [{"type": "integer"}, {"type": "integer"}]
    assert COMPONENTS["PlaceInput"]["properties"]["floor"] == {"type": "integer", "minimum": -3, "maximum": 90}


def test_a_union_is_told_apart_by_its_tag() -> None:
    means = COMPONENTS["NewRoom"]["properties"]["means"]
    assert means["discriminator"] == {
        "propertyName": "means",
        "mapping": {"card": "#/components/schemas/CardInput", "cash": "#/components/schemas/CashInput"},
    }
    assert COMPONENTS["Card"]["properties"]["means"] == {"const": "card", "type": "string"}


def test_a_struct_may_hold_itself() -> None:
    assert COMPONENTS["Nested"]["properties"]["within"]["items"] == {"$ref": "#/components/schemas/Nested"}


def test_descriptions_are_markdown() -> None:
    assert COMPONENTS["Place"]["description"] == "Where it is, such as `Place(floor=2)`."
    assert markdown("  One.\n\n    Two ``three``.\n ") == "One.\n\nTwo `three`."


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"deposit": 100},
        {"status": "taken"},
        {"means": {"means": "card", "token": "t"}},
        {"extra": 1},
        {"code": "ATTIC"},
        {"place": {"floor": 91}},
        {"place": {"floor": 1, "extra": 1}},
        {"place": {"floor": 1, "wing": "north"}},
        {"place": {"floor": 1, "note": None}},
        {"deposit": 1.5},
        {"deposit": "5"},
        {"status": None},
        {"means": {"means": "gold", "token": "t"}},
        {"means": {"means": "cash", "amount_minor": 0}},
    ],
)
def test_a_request_schema_accepts_what_the_decoder_accepts(change: dict[str, Any]) -> None:
    body = {**ROOM, **change}
    try:
        body_decoder(NewRoom)(msgspec.json.encode(body))
        decoded = True
    except Problem:
        decoded = False
    assert accepts("NewRoom", body) is decoded


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Room", Room(code="a", owner_id="o", place=Place(floor=1))),
        ("Place", Place(floor=1, wing="west", note="n")),
        ("RoomPage", Page((Room(code="a", owner_id="o", place=Place(floor=1)),), None)),
        ("Nested", Nested("a", (Nested("b"),))),
    ],
)
def test_a_response_schema_accepts_what_the_encoder_writes(name: str, value: Any) -> None:
    assert accepts(name, msgspec.json.decode(msgspec.json.encode(value)))


def test_the_absence_of_a_query_parameter_stands_for_null() -> None:
    text = {"type": "string"}
    assert without_null({"anyOf": [text, {"type": "null"}], "description": "d"}) == {
        "type": "string",
        "description": "d",
    }
    assert without_null({"anyOf": [text, {"type": "integer"}]}) == {"anyOf": [text, {"type": "integer"}]}
    assert without_null(text) == text


def test_a_type_without_schema_is_refused() -> None:
    with pytest.raises(ContractError, match="has no JSON Schema here: use str"):
        Schemas(requests=[], responses=[]).of(bytes, "response")


def test_members_of_a_plain_type_are_refused() -> None:
    class Empty(Struct, frozen=True):
        """Nothing."""

    schemas = Schemas(requests=[], responses=[])
    assert schemas.members(Empty) == ({}, [])
    with pytest.raises(TypeError, match="is not a Struct"):
        schemas.members(int)  # type: ignore[arg-type]  # what is tested
