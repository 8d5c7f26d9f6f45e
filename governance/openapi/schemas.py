"""JSON Schemas of contract types, one for each direction that a type is used in.

Requests are closed: unknown members are refused, words are enumerated. Responses are open: readers
must expect new members and new words, so status words are strings with ``x-extensible-enum``, and
every member that is always written is required. A Struct that goes both ways has two components,
``Address`` and ``AddressInput``.

Standard: JSON Schema draft 2020-12, as OpenAPI 3.1.1 §4.8.24 uses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal, cast, get_args, get_origin

import msgspec
from msgspec import inspect as kinds

from governance.contract.errors import ContractError

Schema = dict[str, Any]
Direction = Literal["request", "response"]
CODE = re.compile(r"``([^`]+)``")


def markdown(docstring: str) -> str:
    """A docstring as the CommonMark that OpenAPI descriptions are."""
    lines = [line.strip() for line in docstring.strip().splitlines()]
    return CODE.sub(r"`\1`", "\n".join(lines))


def component_name(struct: Any) -> str:
    """The name under which a Struct is known: ``Page[Product]`` is ``ProductPage``."""
    arguments = "".join(component_name(argument) for argument in get_args(struct))
    plain = get_origin(struct) or struct
    return f"{arguments}{plain.__name__}"


class Schemas:
    """The schemas of one document. Every type must be announced before any is asked for, as names depend on it."""

    def __init__(self, *, requests: Iterable[Any], responses: Iterable[Any]) -> None:
        """Announce the types of all requests and responses.

        Raises:
            ContractError: two Structs have the same name, so one document can't hold both.
        """
        received = _structs(requests)
        given = _structs(responses)
        self._names: dict[tuple[Any, Direction], str] = {}
        by_name: dict[str, Any] = {}
        for struct in {**received, **given}:
            name = component_name(struct)
            if by_name.setdefault(name, struct) is not struct:
                places = f"{struct.__module__} and {by_name[name].__module__}"
                raise ContractError(
                    f"Two Structs are called {name}, in {places}: rename one, callers can't tell them apart."
                )
            self._names[struct, "response"] = name
            self._names[struct, "request"] = f"{name}Input" if struct in given else name
        self._used: dict[Direction, dict[Any, kinds.StructType]] = {"request": received, "response": given}

    def components(self) -> dict[str, Schema]:
        """The named schemas of all announced Structs, by name."""
        named: dict[str, Schema] = {}
        for direction, structs in self._used.items():
            for struct, info in structs.items():
                named[self._names[struct, direction]] = self._object(info, direction)
        return dict(sorted(named.items()))

    def of(self, annotation: Any, direction: Direction) -> Schema:
        """The schema of a type; Structs are references to their components."""
        return self._schema(kinds.type_info(annotation), direction)

    def members(self, struct: type[msgspec.Struct]) -> tuple[dict[str, Schema], list[str]]:
        """The properties of a problem's members, and the names of those that are always there."""
        schema = self._object(_struct_info(struct), "response")
        return schema["properties"], schema.get("required", [])

    def _schema(self, info: kinds.Type, direction: Direction) -> Schema:
        match info:
            case kinds.Metadata():
                stated = cast("Schema", info.extra_json_schema or {})  # pyright: ignore[reportUnknownMemberType] - untyped there
                return {**self._schema(info.type, direction), **stated}
            case kinds.StructType():
                return {"$ref": f"#/components/schemas/{self._names[info.cls, direction]}"}
            case kinds.UnionType():
                return self._union(info, direction)
            case kinds.VarTupleType():
                lengths = {"minItems": info.min_length, "maxItems": info.max_length}
                return {"type": "array", "items": self._schema(info.item_type, direction), **_stated(lengths)}
            case kinds.TupleType():
                items = [self._schema(item, direction) for item in info.item_types]
                return {
                    "type": "array",
                    "prefixItems": items,
                    "minItems": len(items),
                    "maxItems": len(items),
                    "items": False,
                }
            case kinds.LiteralType():
                return _words(info.values, direction)
            case _:
                return _scalar(info)

    def _union(self, info: kinds.UnionType, direction: Direction) -> Schema:
        tagged = {one.tag: one for one in info.types if isinstance(one, kinds.StructType) and one.tag is not None}
        members = [self._schema(one, direction) for one in info.types]
        if len(tagged) < 2:
            return {"anyOf": members}
        mapping = {str(tag): self._schema(one, direction)["$ref"] for tag, one in tagged.items()}
        tag_field = next(iter(tagged.values())).tag_field
        return {"anyOf": members, "discriminator": {"propertyName": tag_field, "mapping": mapping}}

    def _object(self, info: kinds.StructType, direction: Direction) -> Schema:
        schema: Schema = {"type": "object"}
        if info.cls.__doc__:
            schema["description"] = markdown(info.cls.__doc__)
        properties: dict[str, Schema] = {}
        required: list[str] = []
        if info.tag_field is not None:
            properties[info.tag_field] = {"const": info.tag, "type": "string"}
            required.append(info.tag_field)
        always = direction == "response" and not (get_origin(info.cls) or info.cls).__struct_config__.omit_defaults
        for field in info.fields:
            member = self._schema(field.type, direction)
            has_default = field.default is not msgspec.NODEFAULT or field.default_factory is not msgspec.NODEFAULT
            if field.required or (always and has_default):
                required.append(field.encode_name)
            elif field.default is not msgspec.NODEFAULT:
                member = {**member, "default": _json(field.default)}
            properties[field.encode_name] = member
        schema["properties"] = properties
        if required:
            schema["required"] = required
        if direction == "request":
            schema["additionalProperties"] = False
        return schema


def _struct_info(struct: Any) -> kinds.StructType:
    info = kinds.type_info(struct)
    if not isinstance(info, kinds.StructType):
        raise TypeError(f"{struct!r} is not a Struct")
    return info


def _words(values: tuple[str | int | bool | None, ...], direction: Direction) -> Schema:
    if all(isinstance(value, str) for value in values):
        members = "x-extensible-enum" if direction == "response" else "enum"
        return {"type": "string", members: list(values)}
    if all(isinstance(value, int) for value in values):
        return {"type": "integer", "enum": list(values)}
    return {"enum": list(values)}


def _scalar(info: kinds.Type) -> Schema:
    match info:
        case kinds.StrType():
            stated = {"minLength": info.min_length, "maxLength": info.max_length, "pattern": info.pattern}
            return {"type": "string", **_stated(stated)}
        case kinds.IntType() | kinds.FloatType():
            bounds = {
                "minimum": info.ge,
                "exclusiveMinimum": info.gt,
                "maximum": info.le,
                "exclusiveMaximum": info.lt,
                "multipleOf": info.multiple_of,
            }
            return {"type": "integer" if isinstance(info, kinds.IntType) else "number", **_stated(bounds)}
        case kinds.BoolType():
            return {"type": "boolean"}
        case kinds.NoneType():
            return {"type": "null"}
        case kinds.RawType():
            return {"type": "object"}
        case kinds.DateTimeType():
            return {"type": "string", "format": "date-time"}
        case kinds.DateType():
            return {"type": "string", "format": "date"}
        case _:
            raise ContractError(
                f"{info} has no JSON Schema here: use str, int, float, bool, date, datetime, Literal, Raw or a Struct."
            )


def _json(value: Any) -> Any:
    """A value as JSON has it, with an array for a tuple."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _stated(members: dict[str, Any]) -> Schema:
    return {name: value for name, value in members.items() if value is not None}


def _structs(annotations: Iterable[Any]) -> dict[Any, kinds.StructType]:
    """Every Struct in these types at any depth, in the order of their names."""
    seen: dict[Any, kinds.StructType] = {}
    for info in kinds.multi_type_info(annotations):
        _gather(info, seen)
    return {one: seen[one] for one in sorted(seen, key=lambda struct: (component_name(struct), struct.__module__))}


def _gather(info: kinds.Type, seen: dict[Any, kinds.StructType]) -> None:
    if isinstance(info, kinds.StructType):
        if info.cls in seen:
            return
        seen[info.cls] = info
    for part in _parts(info):
        _gather(part, seen)


def _parts(info: kinds.Type) -> Iterator[kinds.Type]:
    match info:
        case kinds.Metadata():
            yield info.type
        case kinds.UnionType():
            yield from info.types
        case kinds.VarTupleType():
            yield info.item_type
        case kinds.TupleType():
            yield from info.item_types
        case kinds.StructType():
            yield from (field.type for field in info.fields)
        case _:
            return


def without_null(schema: Schema) -> Schema:
    """The schema of a query parameter: its absence stands for null, which has no text."""
    members = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    if not members:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**rest, **members[0]} if len(members) == 1 else {**schema, "anyOf": members}
