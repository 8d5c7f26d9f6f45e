"""The rules that a contract is held to when its class is created."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from governance.contract.declaration import Declaration
from governance.contract.delivery import Delivery
from governance.contract.errors import ContractError
from governance.contract.operation import Operation, Parameter
from governance.contract.paging import Page
from governance.contract.problems import Refusal
from governance.contract.streaming import Stream

TEMPLATE = re.compile(r"(/(\{[a-z][a-z0-9_]*\}|[a-z0-9]+(-[a-z0-9]+)*))+\Z")
PATH_NAME = re.compile(r"\{([a-z][a-z0-9_]*)\}")
SCOPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*:[a-z][a-z0-9-]*\Z")
SCALARS = (str, int, bool, date, datetime)


def documented(docstring: str | None, where: str) -> tuple[str, str]:
    """The first line and the rest of a docstring; every class and operation needs one."""
    lines = (docstring or "").strip().splitlines()
    if not lines:
        raise ContractError(f"{where} has no docstring: its first line is the summary that callers read.")
    return lines[0].strip(), "\n".join(line.strip() for line in lines[1:]).strip()


def path_names(template: str) -> set[str]:
    """The parameters that a path template names."""
    return set(PATH_NAME.findall(template))


def template(where: str, declaration: Declaration) -> None:
    """A path is kebab-case segments and {snake_case} parameters; a scope is api.resource:verb; a cost is counted."""
    if not TEMPLATE.match(declaration.template):
        raise ContractError(
            f"{where}: path {declaration.template!r} must be kebab-case segments and {{snake_case}} "
            "parameters, such as /sales-orders/{sales_order_id}."
        )
    if not SCOPE.match(declaration.scope):
        raise ContractError(f"{where}: scope {declaration.scope!r} must read like erp.sales-orders:write.")
    if declaration.cost < 1:
        raise ContractError(f"{where}: cost={declaration.cost} must be at least 1: it is what a call takes of limits.")


def raisable(where: str, raises: Iterable[Any]) -> None:
    """Only business refusals are listed; what the gateway itself answers is known from the policies."""
    for problem in raises:
        if not (isinstance(problem, type) and issubclass(problem, Refusal)):
            raise ContractError(f"{where}: raises lists {problem!r}; list classes derived from Refusal.")


def complete(where: str, operation: Operation) -> None:
    """What can be judged once the whole operation is known."""
    _body(where, operation)
    _result(where, operation)
    for parameter in operation.parameters:
        if parameter.where != "body":
            scalar(f"{where}: parameter {parameter.name}", parameter.type)
        if parameter.where == "path" and not parameter.required:
            raise ContractError(f"{where}: path parameter {parameter.name} can't have a default.")
        _default(where, parameter)
        immutable(f"{where}: parameter {parameter.name}", parameter.type, request=True)
    immutable(f"{where}: result", operation.item if operation.streams else operation.result, request=False)
    for problem in operation.raises:
        immutable(f"{where}: {problem.__name__}", problem.members_type, request=False)
    visible_somewhere(where, operation)


def _body(where: str, operation: Operation) -> None:
    bodies = [parameter for parameter in operation.parameters if parameter.where == "body"]
    if len(bodies) > 1:
        raise ContractError(
            f"{where} takes {len(bodies)} Structs: an operation has one body; put them into one Struct."
        )
    if bodies and operation.kind in ("read", "search", "stream", "remove"):
        raise ContractError(f"{where}: a {operation.kind} has no body; pass {bodies[0].name} as query parameters.")
    delivered = [parameter for parameter in operation.parameters if bare(parameter.type) is Delivery]
    if (operation.kind == "inbound") != bool(delivered) or (delivered and len(operation.parameters) > 1):
        raise ContractError(
            f"{where}: an inbound operation takes one Delivery and nothing else, and no other takes one."
        )
    if not bodies and operation.kind in ("replace", "amend"):
        raise ContractError(f"{where}: a {operation.kind} needs a body: a Struct-typed parameter.")


def _result(where: str, operation: Operation) -> None:
    is_page = get_origin(operation.result) is Page
    if operation.streams != (get_origin(operation.result) is Stream):
        raise ContractError(f"{where}: a stream returns Stream[…], and nothing else does.")
    if operation.streams and struct_fields(operation.item).get("id") is None:
        raise ContractError(f"{where}: what a stream gives is a Struct with an id, after which a reader goes on.")
    if operation.kind == "search" and not is_page:
        raise ContractError(f"{where}: a search returns Page[…], so that callers can go on with its cursor.")
    if operation.kind == "search":
        names = {parameter.name for parameter in operation.parameters}
        if not {"limit", "cursor"} <= names:
            raise ContractError(f"{where}: a search takes `limit: Limit = 50` and `cursor: Cursor | None = None`.")
    if operation.kind == "remove" and operation.result is not types.NoneType:
        raise ContractError(f"{where}: a remove returns None.")
    if operation.location:
        unknown = path_names(operation.location) - set(struct_fields(operation.result))
        if unknown:
            raise ContractError(
                f"{where}: location names {', '.join(sorted(unknown))}, which its result does not have."
            )


def _default(where: str, parameter: Parameter) -> None:
    if parameter.required:
        return
    try:
        msgspec.convert(msgspec.to_builtins(parameter.default), parameter.type)
    except msgspec.ValidationError as error:
        raise ContractError(f"{where}: the default of {parameter.name} breaks its own type: {error}.") from None


def distinct(operations: tuple[Operation, ...]) -> None:
    """No two operations of an API share a method and path."""
    seen: dict[tuple[str, str], Operation] = {}
    for operation in operations:
        key = (operation.method, PATH_NAME.sub("{}", operation.path))
        if other := seen.get(key):
            raise ContractError(f"{operation.id} and {other.id} are both {operation.method} {operation.path}.")
        seen[key] = operation


def bare(annotation: Any) -> Any:
    """The type without its Annotated constraints."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def union_members(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, or the type alone."""
    plain = bare(annotation)
    return get_args(plain) if get_origin(plain) in (Union, types.UnionType) else (annotation,)


def is_struct(annotation: Any) -> bool:
    """Whether the type, or its one member that is not None, is a Struct."""
    members = [member for member in union_members(annotation) if member is not types.NoneType]
    plain = [get_origin(bare(member)) or bare(member) for member in members]
    return any(isinstance(member, type) and issubclass(member, Struct) for member in plain)


def struct_fields(annotation: Any) -> dict[str, Any]:
    """Field names and types of a Struct; of a Page or Stream, those of its items; nothing for other types."""
    plain = bare(annotation)
    if get_origin(plain) in (Page, Stream):
        return struct_fields(get_args(plain)[0])
    struct = get_origin(plain) or plain
    if not (isinstance(struct, type) and issubclass(struct, Struct)):
        return {}
    return typing.get_type_hints(struct, include_extras=True)


def scalar(where: str, annotation: Any) -> None:
    """A path or query parameter is one scalar."""
    for member in union_members(annotation):
        plain = bare(member)
        if plain is types.NoneType or plain in SCALARS or get_origin(plain) is Literal:
            continue
        raise ContractError(
            f"{where} is {plain!r}: path and query parameters are str, int, bool, Literal, date or datetime."
        )


def visible_somewhere(where: str, operation: Operation) -> None:
    """A field that decides visibility stands in the arguments or in the result."""
    body = operation.body
    names = {parameter.name for parameter in operation.parameters}
    names |= set(struct_fields(body.type)) if body else set()
    names |= set(struct_fields(operation.result))
    for field in operation.visibility.fields:
        if field not in names:
            raise ContractError(
                f"{where}: visible=by({field!r}), but neither its arguments nor its result have {field}."
            )


def immutable(where: str, annotation: Any, *, request: bool, seen: frozenset[Any] = frozenset()) -> None:
    """Structs in contracts are frozen and hold tuples; whole numbers of requests have bounds."""
    for member in union_members(annotation):
        plain = bare(member)
        origin = get_origin(plain) or plain
        if origin in (list, dict, set):
            raise ContractError(
                f"{where} holds a {origin.__name__}: hold a tuple, so that the local binding can pass it on."
            )
        if plain is int and request and not _bounded(member):
            raise ContractError(
                f"{where} is an int without bounds: use Quantity, Level or Annotated[int, Meta(ge=…, le=…)]."
            )
        if origin is tuple:
            for part in get_args(plain):
                if part is not Ellipsis:
                    immutable(where, part, request=request, seen=seen)
        elif isinstance(origin, type) and issubclass(origin, Struct) and plain not in seen:
            _frozen(where, plain, origin, request, seen | {plain})


def _frozen(where: str, plain: Any, struct: type[Struct], request: bool, seen: frozenset[Any]) -> None:
    if not struct.__struct_config__.frozen:
        raise ContractError(f"{where}: {struct.__name__} is not frozen: write frozen=True in its class line.")
    hints = _hints(struct)
    arguments = dict(zip(getattr(struct, "__parameters__", ()), get_args(plain), strict=False))
    for name in struct.__struct_fields__:
        field = hints[name]
        if arguments:
            field = _substituted(field, arguments)
        immutable(f"{where}: {struct.__name__}.{name}", field, request=request, seen=seen)


@lru_cache(maxsize=2_048)
def _hints(struct: type[Struct]) -> dict[str, Any]:
    return typing.get_type_hints(struct, include_extras=True)  # slow, and most operations share their Structs


def _substituted(annotation: Any, arguments: dict[Any, Any]) -> Any:
    parameters = getattr(annotation, "__parameters__", ())
    if annotation in arguments:
        return arguments[annotation]
    return annotation[tuple(arguments[parameter] for parameter in parameters)] if parameters else annotation


def _bounded(annotation: Any) -> bool:
    metas = (
        [meta for meta in get_args(annotation)[1:] if isinstance(meta, Meta)]
        if get_origin(annotation) is Annotated
        else []
    )
    lower = any(meta.ge is not None or meta.gt is not None for meta in metas)
    return lower and any(meta.le is not None or meta.lt is not None for meta in metas)
