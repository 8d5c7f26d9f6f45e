"""The log has the shape of SARIF 2.1.0: the members of its schema that it uses, and no others."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from governance.evidence import sarif
from tests.governance.evidence.samples import BUILD, records

Text = Annotated[str, Meta(min_length=1)]


class Shape(Struct, forbid_unknown_fields=True, rename="camel"):
    """An object of the schema; each has ``additionalProperties: false``."""


class Message(Shape):
    text: Text


class Rule(Shape):
    id: Text
    short_description: Message


class Driver(Shape):
    name: Text
    version: str
    rules: list[Rule]


class Tool(Shape):
    driver: Driver


class Artifact(Shape):
    uri: Annotated[str, Meta(pattern=r"^[a-z0-9_/.]+$")]
    uri_base_id: Text


class Region(Shape):
    start_line: Annotated[int, Meta(ge=1)]


class Physical(Shape):
    artifact_location: Artifact
    region: Region


class Logical(Shape):
    fully_qualified_name: Text
    kind: Text


class Location(Shape):
    physical_location: Physical
    logical_locations: list[Logical]


class Result(Shape):
    rule_id: Text
    rule_index: Annotated[int, Meta(ge=0)]
    kind: Literal["notApplicable", "pass", "fail", "review", "open", "informational"]
    level: Literal["none", "note", "warning", "error"]
    message: Message
    locations: list[Location]
    partial_fingerprints: dict[str, str]


class Details(Shape):
    id: Text


class Run(Shape):
    tool: Tool
    automation_details: Details
    properties: dict[str, Any]
    column_kind: Literal["utf16CodeUnits", "unicodeCodePoints"]
    results: list[Result]


class Log(Struct, forbid_unknown_fields=True):
    version: Literal["2.1.0"]
    runs: Annotated[list[Run], Meta(min_length=1)]
    schema: str = msgspec.field(name="$schema", default="")


def log() -> Log:
    return msgspec.json.decode(msgspec.json.encode(sarif(records(), BUILD, "http://gate")), type=Log)


def test_the_log_has_the_schema_s_shape() -> None:
    assert log().schema.endswith("/sarif-schema-2.1.0.json")


def test_results_are_what_is_to_do_and_point_to_rule_and_operation() -> None:
    (run,) = log().runs
    rules = [rule.id for rule in run.tool.driver.rules]
    assert {(one.rule_id, one.kind, one.level) for one in run.results} == {
        ("AU-001", "fail", "error"),
        ("ID-001", "open", "none"),
        ("OW-002", "fail", "warning"),
        ("OW-009", "fail", "error"),
    }
    assert [rules[one.rule_index] for one in run.results] == [one.rule_id for one in run.results]
    assert all(one.kind == "fail" or one.level == "none" for one in run.results)  # §3.27.10


def test_fingerprints_tell_results_apart() -> None:
    found = [one.partial_fingerprints["operationControl/v1"] for one in log().runs[0].results]
    assert len(set(found)) == len(found)
