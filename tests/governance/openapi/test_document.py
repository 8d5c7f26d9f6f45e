"""The document of a small API, member by member, and the documents of all APIs as a whole."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, Protocol

import pytest
from msgspec import Struct
from msgspec.structs import replace
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from governance.contract import Api, Contract, ContractError, Refusal, api_of, read
from governance.contract.discovery import discover_apis
from governance.openapi import document, encoded
from governance.openapi.wire import STANDING
from tests.governance.openapi import sample
from tests.governance.openapi.sample import API, Introduced, RoomTaken

DOCUMENT = document(API, [Introduced()])
APIS = [one.api for one in discover_apis()]


def operation(method: str, path: str) -> dict[str, Any]:
    return DOCUMENT["paths"][path][method]


def response(method: str, path: str, status: str) -> dict[str, Any]:
    found = operation(method, path)["responses"][status]
    return DOCUMENT["components"]["responses"][found["$ref"].rpartition("/")[2]] if "$ref" in found else found


@pytest.mark.parametrize("api", [API, *APIS], ids=lambda api: api.id)
def test_every_document_is_valid_openapi(api: Api) -> None:
    validate(document(api, [Introduced()]), cls=OpenAPIV31SpecValidator)


def test_the_same_contract_gives_the_same_bytes_in_any_process() -> None:
    script = (
        "from tests.governance.openapi.sample import *; from governance.openapi import *; import sys;"
        "sys.stdout.buffer.write(encoded(document(API, [Introduced()])))"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."}, check=True, stdout=-1
        ).stdout
        for seed in ("1", "2")
    }
    assert made == {encoded(DOCUMENT)}


def test_info_says_what_it_is_and_whose() -> None:
    assert DOCUMENT["info"] == {
        "title": "grand-hotel v1",
        "summary": "Rooms & <their> guests.",
        "description": "Rooms & <their> guests.\n\nCodes such as `attic` stay.",
        "version": "1.0",
        "contact": {"name": "Front <desk>"},
        "x-tier": "experience",
        "x-owner": "Front <desk>",
        "x-lifecycle": "current",
    }
    assert [server["url"] for server in DOCUMENT["servers"]] == ["/experience/grand-hotel/v1"]
    assert DOCUMENT["tags"] == [{"name": "rooms"}, {"name": "stays"}]


def test_paths_are_relative_to_the_server_and_sorted() -> None:
    assert list(DOCUMENT["paths"]) == [
        "/rooms",
        "/rooms/{code}",
        "/rooms/{code}/count",
        "/rooms/{code}/place",
        "/stays",
    ]
    assert list(DOCUMENT["paths"]["/rooms/{code}"]) == ["delete", "get", "patch"]


def test_security_is_oauth_with_the_scopes_of_the_operations() -> None:
    flow = DOCUMENT["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == "/oauth/token"
    assert flow["scopes"]["hotel.rooms:write"] == "Allows amend_room, post_room, put_place, remove_room."
    assert operation("post", "/rooms")["security"] == [{"oauth2": ["hotel.rooms:write"]}]


def test_parameters_have_their_constraints_defaults_and_examples() -> None:
    by_name = {one["name"]: one for one in operation("get", "/rooms")["parameters"]}
    assert by_name["limit"] == {
        "name": "limit",
        "in": "query",
        "required": False,
        "description": "How many items at most.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
    }
    assert by_name["since"]["schema"] == {"type": "string", "format": "date-time"}
    assert by_name["status"]["schema"] == {"type": "string", "enum": ["free", "taken"]}
    assert operation("get", "/rooms/{code}")["parameters"][0] == {
        "name": "code",
        "in": "path",
        "required": True,
        "description": "A room's code.",
        "schema": {"type": "string", "pattern": "^[a-z]{1,10}$", "examples": ["attic"]},
    }


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("get", "/rooms/{code}", ["If-None-Match", "X-Guest"]),
        ("patch", "/rooms/{code}", ["If-Match", "X-Guest"]),
        ("put", "/rooms/{code}/place", ["X-Guest"]),
        ("post", "/stays", ["Prefer", "X-Guest"]),
    ],
)
def test_headers_stand_where_they_apply(method: str, path: str, headers: list[str]) -> None:
    named = [one["name"] for one in operation(method, path)["parameters"] if one["in"] == "header"]
    assert named == headers


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("get", "/rooms", "200 304 400 403 404 406 414 429 500 503 504"),
        ("post", "/rooms", "201 400 403 404 406 408 409 413 414 415 422 429 500 503 504"),
        ("patch", "/rooms/{code}", "200 400 403 404 406 408 412 413 414 415 422 428 429 500 503 504"),
        ("delete", "/rooms/{code}", "204 400 403 404 406 414 429 500 503 504"),
        ("post", "/stays", "202 400 403 404 406 408 413 414 415 422 429 500 503 504"),
    ],
)
def test_every_status_that_can_occur_is_there(method: str, path: str, statuses: str) -> None:
    assert list(operation(method, path)["responses"]) == statuses.split()


@pytest.mark.parametrize(
    ("method", "path", "status", "headers"),
    [
        ("post", "/rooms", "201", {"ETag", "Location", "RateLimit"}),
        ("get", "/rooms", "304", {"ETag", "RateLimit"}),
        ("post", "/stays", "202", {"RateLimit"}),
        ("post", "/rooms", "409", {"RateLimit"}),
    ],
)
def test_answers_carry_their_headers(method: str, path: str, status: str, headers: set[str]) -> None:
    assert set(response(method, path, status)["headers"]) == headers | set(STANDING)


def test_a_header_in_other_words_stands_in_its_place() -> None:
    shared = DOCUMENT["components"]["responses"]
    retry = [
        shared["RateLimited"]["headers"]["Retry-After"],
        shared["OverloadedOrUnavailable"]["headers"]["Retry-After"],
    ]
    assert {"$ref": "#/components/headers/Retry-After"} in retry
    assert {"description": "Wait.", "schema": {"type": "integer"}} in (
        *retry,
        DOCUMENT["components"]["headers"]["Retry-After"],
    )


def test_problems_of_one_status_are_told_apart_by_type() -> None:
    schema = response("post", "/rooms", "409")["content"]["application/problem+json"]["schema"]
    assert schema == {
        "oneOf": [
            {"$ref": "#/components/schemas/RoomLockedProblem"},
            {"$ref": "#/components/schemas/RoomTakenProblem"},
        ],
        "discriminator": {
            "propertyName": "type",
            "mapping": {
                "/problems/room-locked": "#/components/schemas/RoomLockedProblem",
                "/problems/room-taken": "#/components/schemas/RoomTakenProblem",
            },
        },
    }


def test_a_problem_has_typed_members() -> None:
    problem = DOCUMENT["components"]["schemas"]["RoomTakenProblem"]
    assert problem["allOf"] == [{"$ref": "#/components/schemas/Problem"}]
    assert problem["description"] == "Another one has `until` then."
    assert problem["properties"]["type"] == {"const": "/problems/room-taken"}
    assert problem["properties"]["where"] == {"$ref": "#/components/schemas/Place"}
    assert problem["required"] == ["type", "code", "where", "until"]


def test_what_the_gateway_answers_stands_once() -> None:
    name = "#/components/responses/InvalidParametersOrMalformedRequest"
    assert operation("get", "/rooms")["responses"]["400"] == {"$ref": name}
    assert operation("delete", "/rooms/{code}")["responses"]["400"] == {"$ref": name}
    assert operation("post", "/stays")["responses"]["400"] == {"$ref": f"{name}Keyed"}


def test_extensions_of_contract_and_policies_are_joined() -> None:
    post = operation("post", "/rooms")
    assert (post["x-visible-by"], post["x-limit"]) == (["owner_id"], 5)
    assert post["x-idempotency"] == {"key": "required", "kept_s": 60}
    count = operation("post", "/rooms/{code}/count")
    assert count["x-public-because"] == "A count."
    assert count["x-idempotency"] == {"key": "none", "because": "Only counts.", "kept_s": 60}


class Same(Refusal, status=409, type="room-taken", title="The type of another."):
    """Its type is taken."""


def test_two_problems_of_one_type_are_refused() -> None:
    class ClashV1(Contract, Protocol, owner="Tests", folder="system_apis.clash.v1"):
        """A sample."""

        @read("/things", scope="clash.things:read", raises=[Same, RoomTaken], public_because="A sample.")
        async def get_thing(self) -> str:
            """A thing."""
            ...

    with pytest.raises(ContractError, match="Two problems have the type 'room-taken'"):
        document(api_of(ClashV1), [])


def test_two_structs_of_one_name_are_refused() -> None:
    class Place(Struct, frozen=True):
        """Another place."""

    class ClashV1(Contract, Protocol, owner="Tests", folder="system_apis.clash.v1"):
        """A sample."""

        @read("/things", scope="clash.things:read", public_because="A sample.")
        async def get_thing(self) -> object:
            """A thing."""
            ...

    (declared,) = api_of(ClashV1).operations
    mixed = replace(declared, result=tuple[Place, sample.Place])
    with pytest.raises(ContractError, match="Two Structs are called Place"):
        document(replace(api_of(ClashV1), operations=(mixed,)), [])
