"""The contract: an API version is one Protocol class, judged when it is created.

Tier, name and version come from the folder, ``<tier>_apis/<name>/v<n>/contract.py``. Every rule
that is broken is a ``ContractError`` with a sentence that says what to write.
"""

from __future__ import annotations

import inspect
import re
from typing import Any, Literal, Protocol, get_type_hints

from msgspec.structs import replace

from governance.contract import checks
from governance.contract.declaration import Declaration
from governance.contract.errors import ContractError
from governance.contract.lifecycle import Lifecycle
from governance.contract.operation import Api, Operation, Parameter, Visibility
from governance.contract.problems import NotFound, Problem

MODULE = re.compile(r"(system|process|experience)_apis\.([a-z][a-z0-9_]*)\.v([1-9][0-9]*)\.contract\Z")
SUCCESS = {"create": 201, "remove": 204, "inbound": 202}


class Contract(Protocol):
    """Derive an API version from this and from ``Protocol``, with its owner.

    >>> class ErpV1(Contract, Protocol, owner="Finance systems"):
    ...     ...
    """

    def __init_subclass__(
        cls,
        *,
        owner: str = "",
        lifecycle: Literal["preview", "current"] | Lifecycle = "current",
        folder: str = "",
        **rest: Any,
    ) -> None:
        """Judge a contract when it is created; let services pass.

        ``folder`` stands in for the module's place where a contract is written elsewhere, such as
        in a test: ``folder="system_apis.erp.v1"``.

        Raises:
            ContractError: the declaration breaks a rule; the sentence says which and how to mend it.
        """
        super().__init_subclass__(**rest)
        if Protocol in cls.__bases__:
            cls.__api__ = _judge(cls, owner, lifecycle, folder)  # type: ignore[attr-defined]
        elif owner:
            raise ContractError(
                f"{cls.__qualname__} has an owner but not Protocol among its bases: write Protocol last."
            )


def api_of(contract: type[Any]) -> Api:
    """The API that a contract class, or a service derived from it, declares.

    Raises:
        ContractError: the class is no contract.
    """
    api = getattr(contract, "__api__", None)
    if not isinstance(api, Api):
        raise ContractError(f"{contract.__qualname__} is not a contract: derive it from Contract and Protocol.")
    return api


def _judge(cls: type[Any], owner: str, lifecycle: Literal["preview", "current"] | Lifecycle, folder: str) -> Api:
    module = f"{folder}.contract" if folder else cls.__module__
    place = MODULE.match(module)
    if place is None:
        raise ContractError(
            f"{cls.__qualname__} stands in {module}: a contract belongs in "
            "<tier>_apis/<name>/v<n>/contract.py, such as system_apis/erp/v1/contract.py."
        )
    if not owner.strip():
        raise ContractError(f'{cls.__qualname__} names no owner: write owner="Finance systems" in its class line.')
    if parents := [parent.__qualname__ for parent in cls.__mro__[1:] if "__api__" in vars(parent)]:
        raise ContractError(
            f"{cls.__qualname__} is derived from {parents[0]}: a version states all of its operations itself; "
            "derive it from Contract and Protocol."
        )
    summary, description = checks.documented(cls.__doc__, cls.__qualname__)
    tier, name, version = place[1], place[2], int(place[3])
    api = Api(
        tier=tier,  # type: ignore[arg-type] - the pattern admits the three tiers only
        name=name,
        version=version,
        owner=owner,
        lifecycle=lifecycle if isinstance(lifecycle, Lifecycle) else Lifecycle(stage=lifecycle),
        summary=summary,
        description=description,
        contract=cls,
    )
    operations = tuple(_operation(api, cls, name, method) for name, method in _methods(cls))
    if not operations:
        raise ContractError(
            f"{cls.__qualname__} declares no operation: decorate its methods with read, create and so on."
        )
    checks.distinct(operations)
    return replace(api, operations=operations)


def _methods(cls: type[Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, member in vars(cls).items():
        if name.startswith("_") or not inspect.isfunction(member):
            continue
        if not hasattr(member, "__declaration__"):
            raise ContractError(
                f"{cls.__qualname__}.{name} has no decorator: say read, search, create, action … above it."
            )
        found.append((name, member))
    return found


def _operation(api: Api, cls: type[Any], name: str, method: Any) -> Operation:
    declaration: Declaration = method.__declaration__
    where = f"{cls.__qualname__}.{name}"
    if not inspect.iscoroutinefunction(method):
        raise ContractError(f"{where} must be `async def`.")
    hints = get_type_hints(method, include_extras=True)
    if "return" not in hints:
        raise ContractError(f"{where} does not say what it returns: annotate its result, or None.")
    checks.template(where, declaration)
    parameters = _parameters(where, declaration, inspect.signature(method), hints)
    summary, description = checks.documented(method.__doc__, where)
    visibility = _visibility(where, declaration)
    operation = Operation(
        api_id=api.id,
        tier=api.tier,
        name=name,
        kind=declaration.kind,
        path=api.prefix + declaration.template,
        scope=declaration.scope,
        parameters=parameters,
        result=hints["return"],
        success_status=202 if declaration.accepted else SUCCESS.get(declaration.kind, 200),
        raises=_raises(where, declaration, visibility),
        visibility=visibility,
        summary=summary,
        description=description,
        keyed=declaration.kind in ("create", "action") and not declaration.idempotent_because,
        unkeyed_because=declaration.idempotent_because,
        accepted=declaration.accepted,
        upsert=declaration.upsert,
        location=api.prefix + declaration.location if declaration.location else "",
        limit=declaration.limit,
        cost=declaration.cost,
        lifecycle=declaration.lifecycle or api.lifecycle,
        implementation=method,
    )
    checks.complete(where, operation)
    method.__operation__ = operation
    return operation


def _parameters(
    where: str, declaration: Declaration, signature: inspect.Signature, hints: dict[str, Any]
) -> tuple[Parameter, ...]:
    in_path = checks.path_names(declaration.template)
    parameters: list[Parameter] = []
    for parameter in list(signature.parameters.values())[1:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ContractError(f"{where} takes *{parameter.name}: name every parameter.")
        if parameter.name not in hints:
            raise ContractError(f"{where}: parameter {parameter.name} has no type: annotate it.")
        annotation = hints[parameter.name]
        parameters.append(
            Parameter(
                name=parameter.name,
                where="path" if parameter.name in in_path else "body" if checks.is_struct(annotation) else "query",
                type=annotation,
                **({} if parameter.default is parameter.empty else {"default": parameter.default}),
            )
        )
    missing = in_path - {parameter.name for parameter in parameters}
    if missing:
        names = ", ".join(sorted(missing))
        raise ContractError(f"{where}: its path names {names}, its signature does not: add it as a parameter.")
    return tuple(parameters)


def _visibility(where: str, declaration: Declaration) -> Visibility:
    if declaration.visible is not None and not declaration.public_because:
        return declaration.visible
    if declaration.public_because and declaration.visible is None:
        return Visibility(public_because=declaration.public_because)
    raise ContractError(
        f'{where} must say whose records it handles: visible=by("account_id"), '
        'or public_because="…" where they are nobody\'s, and not both.'
    )


def _raises(where: str, declaration: Declaration, visibility: Visibility) -> tuple[type[Problem], ...]:
    raises = list(declaration.raises)
    checks.raisable(where, raises)
    if NotFound not in raises and (visibility.fields or checks.path_names(declaration.template)):
        raises.append(NotFound)
    return tuple(raises)
