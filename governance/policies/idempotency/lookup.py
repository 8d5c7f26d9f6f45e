"""What became of a key: a read beside every keyed operation, for the client that used the key.

``GET {api}/idempotency-keys/{operation}/{key}`` is an operation like any other: the same policies stand
in front of it, and it needs the scope of the operation that it asks about. A key is looked up under
the caller's own client and accounts, so another client's key is as unknown as one that nobody used.
It reveals no answer: whoever wants that repeats the request.

While the store is away it answers 503: whether the key was used is not known then.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from math import ceil
from types import SimpleNamespace
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from governance.call import Principal, current_call
from governance.contract.operation import Operation, Parameter, Visibility
from governance.contract.refusals import SystemUnavailable
from governance.policies.idempotency.claims import Claims, InFlight, Settled
from governance.policies.idempotency.key import LONGEST
from governance.store import StoreError

Key = Annotated[str, Meta(min_length=1, max_length=LONGEST, pattern=r"^[ -~]+$", examples=["sample"])]
Place = Callable[[str, Principal], bytes]
"""From a key as the client sent it to where the store keeps it."""
OWN_KEYS = Visibility(public_because="A client sees only the keys that it used itself; they belong to no account.")


class KeyState(Struct, frozen=True, kw_only=True):
    """What became of the first request under a key."""

    operation: str
    state: Literal["unknown", "in-flight", "completed"]
    status: int | None = None
    """The status that it was answered with."""
    completed_at: datetime | None = None
    """By the store's clock."""
    remaining_s: int | None = None
    """Seconds for which this holds: until the key is forgotten, or free where the first request was killed."""


def lookup_path(operation: Operation) -> str:
    """Where the keys of an operation are looked up, such as ``/process/orders/v1/idempotency-keys/place-order/{key}``."""
    prefix = "/".join(operation.path.split("/")[:4])
    return f"{prefix}/idempotency-keys/{operation.name.replace('_', '-')}/{{key}}"


def lookup_of(operation: Operation, claims: Claims, place: Place) -> tuple[Operation, object]:
    """The read that tells of the keys of ``operation``, and its service."""
    name = f"{operation.name}_key"

    async def look(key: Key) -> KeyState:
        try:
            found = await claims.look(place(key, current_call().principal))
        except StoreError as failure:
            raise SystemUnavailable(detail="What became of the key can't be known right now.") from failure
        return _state(operation.id, found)

    read = replace(
        operation,
        name=name,
        kind="read",
        path=lookup_path(operation),
        parameters=(Parameter(name="key", where="path", type=Key),),
        result=KeyState,
        success_status=200,
        raises=(),
        visibility=OWN_KEYS,
        summary=f"What became of a key of {operation.name}",
        description="In flight, completed with its status and time, or unknown.",
        keyed=False,
        accepted=False,
        location="",
        limit="",
        cost=1,
    )
    return read, SimpleNamespace(**{name: look})


def _state(operation_id: str, found: InFlight | Settled | None) -> KeyState:
    if found is None:
        return KeyState(operation=operation_id, state="unknown")
    remaining_s = ceil(found.rest_ms / 1000)
    if isinstance(found, InFlight):
        return KeyState(operation=operation_id, state="in-flight", remaining_s=remaining_s)
    return KeyState(
        operation=operation_id,
        state="completed",
        status=found.status,
        completed_at=datetime.fromtimestamp(found.at, UTC),
        remaining_s=remaining_s,
    )
