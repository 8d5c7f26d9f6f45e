"""Problems: every answer that is not a success, as RFC 9457 problem details.

One class is one problem type. Its annotated members are typed and travel through all three
bindings: a served answer carries them as JSON members, the remote binding decodes them back
into the same class, the local binding passes the exception itself.

    Problem                     anything that ends a call without a result
    ├── Refusal                 a business refusal; a contract lists it in ``raises``
    │   └── NotFound            nothing is there, or it is not yours: the same answer
    └── (governance/contract/refusals.py: what the gateway itself answers)

Standard: RFC 9457 (Problem Details for HTTP APIs), sections 3.1 and 3.2.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, get_type_hints

import msgspec
from typing_extensions import dataclass_transform

TYPE_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
RESERVED = frozenset({"type", "title", "status", "instance", "errors", "retryable", "request_id"})


class Violation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One broken rule of a request: where (``pointer`` into the body, or ``parameter``), and what."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None


def _members_struct(cls: type[Problem]) -> type[msgspec.Struct]:
    hints = get_type_hints(cls, include_extras=True)
    fields: list[Any] = []
    for owner in reversed(cls.__mro__):
        if not issubclass(owner, Problem) or owner is Problem:
            continue
        for name in owner.__dict__.get("__annotations__", {}):
            if name in RESERVED:
                raise TypeError(f"{cls.__qualname__}: member {name!r} is a member of RFC 9457 itself; rename it.")
            if hasattr(Problem, name):
                raise TypeError(f"{cls.__qualname__}: member {name!r} would hide an attribute of Problem; rename it.")
            default = owner.__dict__.get(name, msgspec.NODEFAULT)
            fields.append((name, hints[name], default) if default is not msgspec.NODEFAULT else (name, hints[name]))
    return msgspec.defstruct(f"{cls.__name__}Members", fields, frozen=True, kw_only=True, module=cls.__module__)


def _revived(cls: type[Problem], args: tuple[object, ...]) -> Problem:
    """A pickled problem before its attributes come back: flows keep refusals over a restart."""
    return cls.__new__(cls, *args)


@dataclass_transform(kw_only_default=True)
class TypedMembers(Exception):
    """Tells type checkers that annotations of derived classes are keyword arguments."""


class Problem(TypedMembers):
    """What ends a call without a result. Members are keyword-only and typed.

    >>> class OutOfInk(Problem, status=409, type="out-of-ink", title="The pen is empty"):
    ...     pen: str
    >>> OutOfInk(pen="p-1").members()
    {'pen': 'p-1'}
    """

    status: ClassVar[int]
    type: ClassVar[str]
    title: ClassVar[str]
    retryable: ClassVar[bool]
    members_type: ClassVar[type[msgspec.Struct]]

    detail: str = ""

    def __init_subclass__(cls, *, status: int = 0, type: str = "", title: str = "", retryable: bool = False) -> None:  # noqa: A002 - RFC 9457's word
        super().__init_subclass__()
        if not (status or type or title):  # an intermediate family, such as Refusal
            return
        if not TYPE_ID.match(type):
            raise TypeError(f"{cls.__qualname__}: type={type!r} must be kebab-case, such as 'insufficient-stock'.")
        if not 400 <= status <= 599:
            raise TypeError(f"{cls.__qualname__}: status={status} must be an HTTP error status (400 to 599).")
        if not title:
            raise TypeError(f"{cls.__qualname__}: give it a title, one short sentence that never changes.")
        cls.status, cls.type, cls.title, cls.retryable = status, type, title, retryable
        cls.members_type = _members_struct(cls)

    def __init__(self, **members: Any) -> None:
        self.detail = members.pop("detail", "")
        try:
            complete = self.members_type(**members)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}: {error}") from None
        for name in self.members_type.__struct_fields__:
            setattr(self, name, getattr(complete, name))
        super().__init__(self.detail or self.title)

    def __reduce__(self) -> tuple[Any, ...]:
        return _revived, (type(self), self.args), vars(self)

    def members(self) -> dict[str, Any]:
        """The typed members as JSON-ready builtins."""
        return {name: msgspec.to_builtins(getattr(self, name)) for name in self.members_type.__struct_fields__}

    @classmethod
    def from_members(cls, detail: str, members: dict[str, Any]) -> Problem:
        """The problem that ``members`` (decoded JSON, unknown ones ignored) describes.

        Raises:
            msgspec.ValidationError: a member is missing or of the wrong type.
        """
        found = msgspec.convert(members, cls.members_type)
        return cls(detail=detail, **{name: getattr(found, name) for name in cls.members_type.__struct_fields__})


class Refusal(Problem):
    """A business refusal: raised by connectors, listed by contracts, caught by flows."""


class NotFound(Refusal, status=404, type="not-found", title="There is no such thing here."):
    """The record does not exist, or it is not visible to the caller: both look the same.

    Raise it without a detail: a detail would tell the two apart.
    """
