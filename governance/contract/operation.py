"""What is known about one operation: everything the policies, bindings and documents are built from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

from msgspec import UNSET, Struct

from governance.contract.lifecycle import CURRENT, Lifecycle
from governance.contract.problems import Problem

Tier = Literal["system", "process", "experience"]
TIERS: tuple[Tier, ...] = ("system", "process", "experience")

Kind = Literal["read", "search", "stream", "create", "replace", "amend", "remove", "action", "inbound"]

METHODS: dict[Kind, str] = {
    "read": "GET",
    "search": "GET",
    "stream": "GET",
    "create": "POST",
    "replace": "PUT",
    "amend": "PATCH",
    "remove": "DELETE",
    "action": "POST",
    "inbound": "POST",
}


class Parameter(Struct, frozen=True, kw_only=True):
    """One argument of an operation: a path or query parameter, or the JSON body."""

    name: str
    where: Literal["path", "query", "body"]
    type: Any
    """The annotation, with its constraints."""
    default: Any = UNSET

    @property
    def required(self) -> bool:
        """Whether a call without it is refused."""
        return self.default is UNSET


class Visibility(Struct, frozen=True, kw_only=True):
    """Whose records an operation handles: those of the accounts named by ``fields``, or nobody's."""

    fields: tuple[str, ...] = ()
    public_because: str = ""


def by(*fields: str) -> Visibility:
    """Records belong to the account that these arguments or result fields name."""
    return Visibility(fields=fields)


class Api(Struct, frozen=True, kw_only=True, eq=False):
    """One API version, as its contract class declares it."""

    tier: Tier
    name: str
    """The folder's name, such as ``order_to_fulfillment``."""
    version: int
    owner: str
    lifecycle: Lifecycle
    summary: str
    description: str
    contract: type[Any]
    operations: tuple[Operation, ...] = ()

    @property
    def id(self) -> str:
        """Such as ``erp.v1``."""
        return f"{self.name}.v{self.version}"

    @property
    def slug(self) -> str:
        """The name in paths, such as ``order-to-fulfillment``."""
        return self.name.replace("_", "-")

    @property
    def prefix(self) -> str:
        """The path under which it is served, such as ``/system/erp/v1``."""
        return f"/{self.tier}/{self.slug}/v{self.version}"


class Operation(Struct, frozen=True, kw_only=True, eq=False):
    """One operation of one API version. Compared by identity: there is exactly one object for each."""

    api_id: str
    tier: Tier
    name: str
    kind: Kind
    path: str
    """The whole template, such as ``/system/erp/v1/products/{sku}``."""
    scope: str
    parameters: tuple[Parameter, ...]
    """In the order of the signature."""
    result: Any
    """The annotation of the result; ``NoneType`` where there is none."""
    success_status: int
    raises: tuple[type[Problem], ...]
    visibility: Visibility
    summary: str
    description: str
    keyed: bool = False
    """Whether an ``Idempotency-Key`` is demanded."""
    unkeyed_because: str = ""
    accepted: bool = False
    upsert: bool = False
    location: str = ""
    limit: str = ""
    """A limit of its own, which also inner calls are held to; empty for the tier's default."""
    cost: int = 1
    """How many units of every limit and quota one call takes."""
    lifecycle: Lifecycle = CURRENT
    """Its own, or that of its API."""
    implementation: Callable[..., Any]

    @property
    def id(self) -> str:
        """Such as ``erp.v1.post_sales_order``."""
        return f"{self.api_id}.{self.name}"

    @property
    def method(self) -> str:
        """The HTTP method."""
        return METHODS[self.kind]

    @property
    def safe(self) -> bool:
        """Whether it only reads (RFC 9110 §9.2.1)."""
        return self.kind in ("read", "search", "stream")

    @property
    def streams(self) -> bool:
        """Whether its result is a ``Stream``, served as server-sent events."""
        return self.kind == "stream"

    @property
    def item(self) -> Any:
        """What a stream gives one after the other."""
        return get_args(self.result)[0]

    @property
    def inbound(self) -> bool:
        """Whether its caller is a vendor that signs what it delivers, and holds no token."""
        return self.kind == "inbound"

    @property
    def body(self) -> Parameter | None:
        """The parameter that is the JSON body, if there is one."""
        return next((parameter for parameter in self.parameters if parameter.where == "body"), None)

    @property
    def conditional(self) -> bool:
        """Whether ``If-Match`` is demanded (RFC 9110 §13.1.1)."""
        return self.kind in ("replace", "amend") and not self.upsert


def operation_of(method: Callable[..., Any]) -> Operation:
    """The operation that a contract's method declares, such as ``operation_of(ErpV1.get_product)``.

    Raises:
        TypeError: the method is not an operation of a finished contract class.
    """
    operation = getattr(method, "__operation__", None)
    if not isinstance(operation, Operation):
        name = getattr(method, "__qualname__", repr(method))
        raise TypeError(
            f"{name} is not an operation: name a decorated method of a contract, such as ErpV1.get_product."
        )
    return operation
