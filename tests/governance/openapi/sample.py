"""A small API that has one of everything a document can say, its service and a way to ask it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Protocol

import msgspec
from msgspec import Meta, Struct

from governance.bindings.edge import Edge
from governance.bindings.routes import Routes
from governance.bindings.served import WireLimits, served
from governance.call import Call, Documented, Exchange, Handler, ManualClock, Policy, Principal, Stage, Wrap
from governance.contract import (
    Contract,
    Cursor,
    Limit,
    NotFound,
    Operation,
    Page,
    Refusal,
    action,
    amend,
    api_of,
    by,
    create,
    read,
    remove,
    replace,
    search,
)
from governance.contract.refusals import PreconditionFailed, RateLimited, SystemUnavailable

Code = Annotated[str, Meta(pattern=r"^[a-z]{1,10}$", description="A room's code.", examples=["attic"])]


class Place(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where it is, such as ``Place(floor=2)``."""

    floor: Annotated[int, Meta(ge=-3, le=90)]
    wing: Literal["east", "west"] = "east"
    note: str | None = None


class Card(Struct, frozen=True, tag="card", tag_field="means"):
    """Paid by card."""

    token: str


class Cash(Struct, frozen=True, tag="cash", tag_field="means"):
    """Paid in cash."""

    amount_minor: Annotated[int, Meta(ge=1, le=10_000)]


class Room(Struct, frozen=True, kw_only=True):
    """A room."""

    code: Code
    owner_id: str
    place: Place
    status: Literal["free", "taken"] = "free"
    step: Literal[1, 10] = 1
    booked_at: datetime | None = None
    days: tuple[date, ...] = ()
    corner: tuple[int, int] = (0, 0)
    paid: Card | Cash | None = None


class NewRoom(Struct, frozen=True, kw_only=True):
    """What a room is made of."""

    code: Code
    owner_id: str
    place: Place
    status: Literal["free", "taken"] = "free"
    means: Card | Cash
    deposit: Annotated[int, Meta(ge=0, le=100)] = 5


class Nested(Struct, frozen=True):
    """A room with rooms."""

    name: str
    within: tuple[Nested, ...] = ()


class RoomTaken(Refusal, status=409, type="room-taken", title="Somebody is in."):
    """Another one has ``until`` then."""

    code: Code
    where: Place
    until: date | None = None


class RoomLocked(Refusal, status=409, type="room-locked", title="The door is locked."):
    """Nobody gets in."""


class HotelV1(Contract, Protocol, owner="Front <desk>", folder="experience_apis.grand_hotel.v1"):
    """Rooms & <their> guests.

    Codes such as ``attic`` stay.
    """

    @read("/rooms/{code}", scope="hotel.rooms:read", raises=[RoomLocked], visible=by("owner_id"))
    async def get_room(self, code: Code) -> Room:
        """A room."""
        ...

    @search("/rooms", scope="hotel.rooms:read", visible=by("owner_id"))
    async def list_rooms(
        self,
        *,
        owner_id: str | None = None,
        status: Literal["free", "taken"] | None = None,
        since: datetime | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Room]:
        """Rooms."""
        ...

    @create(
        "/rooms",
        scope="hotel.rooms:write",
        raises=[RoomTaken, RoomLocked],
        visible=by("owner_id"),
        location="/rooms/{code}",
    )
    async def post_room(self, room: NewRoom) -> Room:
        """A new room."""
        ...

    @replace("/rooms/{code}/place", scope="hotel.rooms:write", public_because="Places are known.", upsert=True)
    async def put_place(self, code: Code, place: Place) -> Place:
        """Put its place."""
        ...

    @amend("/rooms/{code}", scope="hotel.rooms:write", visible=by("owner_id"))
    async def amend_room(self, code: Code, room: NewRoom) -> Room:
        """Amend."""
        ...

    @remove("/rooms/{code}", scope="hotel.rooms:write", public_because="Anybody may.")
    async def remove_room(self, code: Code) -> None:
        """Remove."""
        ...

    @action(
        "/rooms/{code}/count", scope="hotel.rooms:read", public_because="A count.", idempotent_because="Only counts."
    )
    async def count(self, code: Code) -> Nested:
        """Count."""
        ...

    @create("/stays", scope="hotel.stays:write", visible=by("owner_id"), accepted=True)
    async def stay(self, room: NewRoom) -> Room:
        """Stay."""
        ...


class Hotel(HotelV1):
    """Answers as the code says."""

    async def get_room(self, code: Code) -> Room:
        match code:
            case "missing":
                raise NotFound
            case "locked":
                raise RoomLocked
            case "away":
                raise SystemUnavailable
            case "bug":
                raise KeyError(code)
        paid = Card(token="t") if code == "paid" else None
        place = Place(floor=1, note="cold")
        return Room(code=code, owner_id="o", place=place, booked_at=datetime(2026, 1, 1, tzinfo=UTC), paid=paid)

    async def list_rooms(
        self,
        *,
        owner_id: str | None = None,
        status: Literal["free", "taken"] | None = None,
        since: datetime | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Room]:
        return Page((await self.get_room("attic"),), "next")

    async def post_room(self, room: NewRoom) -> Room:
        if room.code == "taken":
            raise RoomTaken(code=room.code, where=Place(floor=1), until=date(2026, 1, 2))
        return Room(code=room.code, owner_id=room.owner_id, place=room.place, paid=room.means)

    async def put_place(self, code: Code, place: Place) -> Place:
        return place

    async def amend_room(self, code: Code, room: NewRoom) -> Room:
        raise PreconditionFailed

    async def remove_room(self, code: Code) -> None:
        return None

    async def count(self, code: Code) -> Nested:
        return Nested("a", (Nested("b"),))

    async def stay(self, room: NewRoom) -> Room:
        return await self.post_room(room)


class Introduced(Policy):
    """Everybody is known; says of itself what a limit would."""

    name = "introduced"
    stage = Stage.IDENTIFY

    def enforce(self, operation: Operation, binding: str) -> Wrap | None:
        def wrap(inner: Handler) -> Handler:
            def identify(exchange: Exchange) -> Awaitable[Any]:
                exchange.principal = Principal(subject="s", client_id="c")
                exchange.call = Call(principal=exchange.principal, operation_id=operation.id, idempotency_key="k")
                exchange.response_headers.append((b"ratelimit", b"r=1"))
                return inner(exchange)

            return identify

        return wrap

    def document(self, operation: Operation) -> Documented:
        header = {"description": "What is left.", "schema": {"type": "string"}}
        return Documented(
            problems=(RateLimited,),
            parameters=({"name": "X-Guest", "in": "header", "required": False, "schema": {"type": "string"}},),
            every_header={"RateLimit": header},
            problem_headers={429: {"Retry-After": {"description": "Wait.", "schema": {"type": "integer"}}}},
            extensions={"x-limit": 5, "x-idempotency": {"kept_s": 60}},
        )


API = api_of(HotelV1)
LIMITS = WireLimits(max_body_bytes=1_000, max_uri_bytes=300, body_timeout_s=0.05)


class Answered(Struct, frozen=True):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


async def call(
    application: Any, method: str, target: str, headers: Mapping[str, str], body: bytes | None, path_type: str = "http"
) -> Answered:
    """One request over ASGI; a body of None never arrives."""
    path, _, query = target.partition("?")
    got: list[Any] = []

    async def receive() -> Any:
        if body is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        got.append(message)

    scope = {
        "type": path_type,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"t"), *((name.lower().encode(), value.encode()) for name, value in headers.items())],
        "client": ("127.0.0.1", 1),
    }
    await application(scope, receive, send)
    found = {name.decode().lower(): value.decode() for name, value in got[0]["headers"]}
    return Answered(got[0]["status"], found, b"".join(message.get("body", b"") for message in got[1:]))


def hotel() -> Edge:
    """The sample API, served."""
    routes = Routes()
    for operation in API.operations:
        handler, _ = served(operation, Hotel(), (Introduced(),), ManualClock(), LIMITS)
        routes.add(operation, handler)
    routes.seal()
    return Edge(routes, LIMITS)
