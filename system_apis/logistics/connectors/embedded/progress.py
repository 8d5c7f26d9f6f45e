"""How a shipment moves on by itself: pure functions over one shipment's state and the time.

The moments of the steps to come are fixed at release and kept with the shipment. So the state at
any time follows from what is stored, a restart or other settings change nothing for goods under
way, and steps taken long after their moment still carry the moment they were due.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from system_apis.canonical.entities import TrackingEvent
from system_apis.canonical.values import Text
from system_apis.logistics.port import ShipmentStatus

CARRIERS = {
    "DE": "Hanse Parcel",
    "AT": "Alpine Express",
    "CH": "Alpine Express",
    "US": "Union Freight",
    "CA": "Union Freight",
    "MX": "Union Freight",
    "GB": "Channel Couriers",
    "IE": "Channel Couriers",
}
"""The carrier for the country of destination; all others go with ``WORLD_CARRIER``."""
WORLD_CARRIER = "Meridian Worldwide"

UNDER_WAY = ("dispatched", "delayed", "delivered")


class Progress(Struct, frozen=True, kw_only=True):
    """How far a shipment is, and when it takes its next steps by itself (none: only by call)."""

    status: ShipmentStatus
    due: tuple[datetime, ...] = ()
    promised_on: date | None = None
    carrier: str = ""
    tracking_number: str = ""
    last_event_at: datetime
    events: tuple[TrackingEvent, ...] = ()
    """Events not stored yet."""


class Route(Struct, frozen=True, kw_only=True):
    """What the steps of one shipment need to know of it."""

    seq: int
    warehouse: str
    city: str
    country: str


def choose_carrier(country: str) -> str:
    """The carrier that serves ``country`` (ISO 3166-1 alpha-2)."""
    return CARRIERS.get(country, WORLD_CARRIER)


def tracking_number(seq: int) -> str:
    """The carrier's number for our ``seq``-th shipment: nine digits and a check digit, weights 3 and 1."""
    digits = f"{seq:09d}"
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits))
    return f"TG{digits}{-weighted % 10}"


def next_status(status: ShipmentStatus) -> ShipmentStatus | None:
    """The step that follows ``status``; None: nothing follows."""
    match status:
        case "released":
            return "picked"
        case "picked":
            return "dispatched"
        case "dispatched" | "delayed":
            return "delivered"
        case _:
            return None


def step(progress: Progress, route: Route, at: datetime) -> Progress:
    """``progress`` after its next step, taken at ``at`` and never before the event that came last."""
    status = next_status(progress.status)
    if status is None:
        return progress
    at = max(at, progress.last_event_at)
    location = route.city if status == "delivered" else route.warehouse
    dispatched = status == "dispatched"
    return replace(
        progress,
        status=status,
        due=progress.due[1:],
        carrier=choose_carrier(route.country) if dispatched else progress.carrier,
        tracking_number=tracking_number(route.seq) if dispatched else progress.tracking_number,
        last_event_at=at,
        events=(*progress.events, TrackingEvent(at=at, status=status, location=location)),
    )


def advance(progress: Progress, route: Route, now: datetime) -> Progress:
    """``progress`` with every step taken whose moment has come by ``now``."""
    while progress.due and progress.due[0] <= now:
        progress = step(progress, route, progress.due[0])
    return progress


def cancel(progress: Progress, route: Route, now: datetime) -> Progress:
    """``progress`` with nothing to come; the caller has made sure that the goods have not left."""
    at = max(now, progress.last_event_at)
    event = TrackingEvent(at=at, status="cancelled", location=route.warehouse)
    return replace(progress, status="cancelled", due=(), last_event_at=at, events=(*progress.events, event))


def delay(progress: Progress, route: Route, promised_on: date, note: Text, now: datetime) -> Progress:
    """``progress`` with its next step by itself on ``promised_on`` (00:00 UTC) at the earliest."""
    at = max(now, progress.last_event_at)
    event = TrackingEvent(at=at, status="delayed", location=route.warehouse, note=note)
    return replace(
        progress,
        status="delayed" if progress.status in UNDER_WAY else progress.status,
        due=_postponed(progress.due, promised_on),
        promised_on=promised_on,
        last_event_at=at,
        events=(*progress.events, event),
    )


def _postponed(due: tuple[datetime, ...], promised_on: date) -> tuple[datetime, ...]:
    if not due:
        return ()
    morning = datetime(promised_on.year, promised_on.month, promised_on.day, tzinfo=UTC)
    shift = max(morning - due[0], timedelta(0))
    return tuple(moment + shift for moment in due)
