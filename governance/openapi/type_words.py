"""A schema in words, for tables: ``text, up to 80 characters``, ``list of Money``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.pages import Html, code, join, tag

Schema = Mapping[str, Any]
REFERENCE = "#/components/schemas/"
FORMATS = {"date-time": "instant (RFC 3339)", "date": "date (ISO 8601)", "uri-reference": "path"}
PLAIN = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": "null"}


def type_words(schema: Schema) -> Html:
    """What values of a schema are; other Structs are links to their place on the page."""
    if reference := schema.get("$ref"):
        name = str(reference).removeprefix(REFERENCE)
        return tag("a", name, href=f"#schema-{name}")
    if members := schema.get("anyOf"):
        return join((type_words(member) for member in members), " or ")
    if schema.get("type") == "array":
        items: Schema | bool = schema.get("items", False)
        return Html("list") if isinstance(items, bool) else join(["list of ", type_words(items)])
    for name, open_end in (("enum", ""), ("x-extensible-enum", " …")):
        if words := schema.get(name):
            return join([join((code(str(word)) for word in words), ", "), open_end])
    if "const" in schema:
        return code(str(schema["const"]))
    return join([_plain(schema), _bounds(schema)])


def _plain(schema: Schema) -> str:
    return FORMATS.get(str(schema.get("format")), PLAIN.get(str(schema.get("type")), "anything"))


def _bounds(schema: Schema) -> Html:
    low, high = schema.get("minimum"), schema.get("maximum")
    bounds = [
        f", {low:,} to {high:,}" if low is not None and high is not None else "",
        f", from {low:,}" if low is not None and high is None else "",
        f", up to {high:,}" if high is not None and low is None else "",
        f", up to {schema['maxLength']:,} characters" if "maxLength" in schema else "",
    ]
    pattern = join([", like ", code(str(schema["pattern"]))]) if "pattern" in schema else Html("")
    return join([*bounds, pattern])
