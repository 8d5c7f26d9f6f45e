"""The decorators: one method signature under one of them states everything governance needs.

A decorator only writes down what it was told and marks the method abstract, so that a service
that forgets an operation fails when it is made. ``Contract`` judges the whole when its class is
created.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Required, TypedDict, TypeVar, Unpack

from msgspec import Struct

from governance.contract.lifecycle import Lifecycle
from governance.contract.operation import Kind, Visibility
from governance.contract.problems import Problem

Method = TypeVar("Method", bound=Callable[..., Any])


class Stated(TypedDict, total=False):
    """What every decorator takes. Exactly one of ``visible`` and ``public_because`` is due."""

    scope: Required[str]
    raises: Sequence[type[Problem]]
    visible: Visibility
    public_because: str
    limit: str
    cost: int
    lifecycle: Lifecycle


class Declaration(Struct, frozen=True, kw_only=True):
    """What one decorator was told."""

    kind: Kind
    template: str
    scope: str
    raises: Sequence[type[Problem]] = ()
    visible: Visibility | None = None
    public_because: str = ""
    limit: str = ""
    cost: int = 1
    lifecycle: Lifecycle | None = None
    """Its own; None for that of its API."""
    accepted: bool = False
    upsert: bool = False
    idempotent_because: str = ""
    location: str = ""


def _declare(declaration: Declaration) -> Callable[[Method], Method]:
    def mark(method: Method) -> Method:
        setattr(method, "__declaration__", declaration)  # noqa: B010 - a function's type has no such attribute
        setattr(method, "__isabstractmethod__", True)  # noqa: B010
        return method

    return mark


def read(template: str, **stated: Unpack[Stated]) -> Callable[[Method], Method]:
    """GET one record or computed view."""
    return _declare(Declaration(kind="read", template=template, **stated))


def search(template: str, **stated: Unpack[Stated]) -> Callable[[Method], Method]:
    """GET a page of records; the result is a ``Page``."""
    return _declare(Declaration(kind="search", template=template, **stated))


def stream(template: str, **stated: Unpack[Stated]) -> Callable[[Method], Method]:
    """GET what happens, as it happens: server-sent events; the result is a ``Stream``."""
    return _declare(Declaration(kind="stream", template=template, **stated))


def create(
    template: str,
    *,
    accepted: bool = False,
    idempotent_because: str = "",
    location: str = "",
    **stated: Unpack[Stated],
) -> Callable[[Method], Method]:
    """POST a new record; ``accepted`` makes the answer 202 with a status resource.

    Demands ``Idempotency-Key``, unless ``idempotent_because`` says why none is needed. ``location``
    is the path of the record, filled in from the result's fields.
    """
    return _declare(
        Declaration(
            kind="create",
            template=template,
            accepted=accepted,
            idempotent_because=idempotent_because,
            location=location,
            **stated,
        )
    )


def replace(template: str, *, upsert: bool = False, **stated: Unpack[Stated]) -> Callable[[Method], Method]:
    """PUT a whole record. Demands ``If-Match``, unless ``upsert``: then it is made where it is missing."""
    return _declare(Declaration(kind="replace", template=template, upsert=upsert, **stated))


def amend(template: str, **stated: Unpack[Stated]) -> Callable[[Method], Method]:
    """PATCH part of a record. Demands ``If-Match``."""
    return _declare(Declaration(kind="amend", template=template, **stated))


def remove(template: str, **stated: Unpack[Stated]) -> Callable[[Method], Method]:
    """DELETE a record; the result is None."""
    return _declare(Declaration(kind="remove", template=template, **stated))


def action(
    template: str, *, accepted: bool = False, idempotent_because: str = "", **stated: Unpack[Stated]
) -> Callable[[Method], Method]:
    """POST a verb on a record, such as ``/orders/{order_id}/cancel``.

    Demands ``Idempotency-Key``, unless ``idempotent_because`` says why none is needed.
    """
    return _declare(
        Declaration(
            kind="action", template=template, accepted=accepted, idempotent_because=idempotent_because, **stated
        )
    )


def inbound(template: str, **stated: Unpack[Stated]) -> Callable[[Method], Method]:
    """POST by a vendor, without a token: verified by its signature over the body, and kept once for each event id.

    Takes one ``Delivery``. The scope is what the sender's signature opens, and nothing else does.
    """
    return _declare(Declaration(kind="inbound", template=template, **stated))
