"""A contract with what requests are made of."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct

from governance.contract import Contract, action, by, create, operation_of, read, replace

DeskId = Annotated[str, Meta(pattern=r"^D-[0-9]+$", examples=["D-1"])]
AccountId = Annotated[str, Meta(pattern=r"^[A-Z]+$", examples=["ACME"])]


class Lamp(Struct, frozen=True, kw_only=True, tag="lamp", tag_field="kind"):
    watts: Annotated[int, Meta(ge=5, le=60)]


class Plant(Struct, frozen=True, kw_only=True, tag="plant", tag_field="kind"):
    name: str


class Desk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    account_id: AccountId
    size: Literal["small", "wide"]
    holds: Annotated[tuple[Lamp | Plant, ...], Meta(min_length=1)]
    note: Annotated[str, Meta(max_length=10)] = ""


class DesksV1(Contract, Protocol, owner="Tests", folder="system_apis.desks.v1"):
    """Desks."""

    @read("/desks/{desk_id}", scope="desks.desks:read", visible=by("account_id"))
    async def get_desk(self, desk_id: DeskId, *, account_id: AccountId | None = None, lit: bool = False) -> Desk:
        """One desk."""
        ...

    @create("/desks", scope="desks.desks:write", visible=by("account_id"))
    async def post_desk(self, desk: Desk) -> Desk:
        """Put up a desk."""
        ...

    @replace("/desks/{desk_id}", scope="desks.desks:write", visible=by("account_id"))
    async def put_desk(self, desk_id: DeskId, desk: Desk) -> Desk:
        """Change a desk."""
        ...

    @action("/desks/count", scope="desks.desks:read", public_because="A sample.", idempotent_because="It only counts.")
    async def count(self, desk: Desk) -> Desk:
        """Count desks."""
        ...


GET, POST, PUT = (operation_of(one) for one in (DesksV1.get_desk, DesksV1.post_desk, DesksV1.put_desk))
COUNT = operation_of(DesksV1.count)
