"""A life from current to gone, as a client sees it: announced on every answer, browned out, and 410 in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from gateway.composition.application import Tiergate
from gateway.operations_desk import desk_routes
from governance.bindings.assembly import Assembly
from governance.call import ManualClock
from governance.consumers import Consumers
from governance.consumers.consumer import Consumer
from governance.contract import (
    BrownOut,
    Contract,
    ContractError,
    Operation,
    api_of,
    by,
    deprecated,
    operation_of,
    read,
    retired,
)
from governance.contract.discovery import DiscoveredApi
from governance.contract.graph import graph
from governance.contract.tombstone import tombstone
from governance.identity import TokenVerifier
from governance.openapi import document
from governance.policies.lifecycle import Apis, Enforcement, Settings, Uses
from governance.report import deprecation_rows
from governance.store import Store, StoreUnavailable
from governance.telemetry import CallMetrics, HopLog
from tests.governance.bindings.sample_apis import APIS, Word
from tests.governance.bindings.sample_gateway import Reply, ask, assemble, edge_of

pytestmark = pytest.mark.anyio
START = datetime(2026, 1, 1, tzinfo=UTC)
SINCE, SUNSET = date(2026, 3, 1), date(2026, 12, 1)
BROWN_OUT = BrownOut(datetime(2026, 11, 1, 12, tzinfo=UTC), datetime(2026, 11, 1, 14, tzinfo=UTC))
GOING = deprecated(since=SINCE, sunset=SUNSET, successor="slips.v2", brown_outs=(BROWN_OUT,))


class SlipsV1(Contract, Protocol, owner="Stacks", folder="experience_apis.slips.v1", lifecycle=GOING):
    """Slips of paper."""

    @read("/slips/{word}", scope="slips.slips:read", public_because="Slips are free.")
    async def get_slip(self, word: str) -> Word:
        """A slip."""
        ...

    @read("/blank", scope="slips.slips:read", public_because="Slips are free.", lifecycle=retired(on=START.date()))
    async def get_blank(self) -> Word:
        """A slip with nothing on it."""
        ...


class SlipsV2(Contract, Protocol, owner="Stacks", folder="experience_apis.slips.v2"):
    """Slips of paper, again."""

    @read("/papers/{word}", scope="slips.slips:read", public_because="Slips are free.")
    async def get_slip(self, word: str) -> Word:
        """A slip."""
        ...


class NotesV1(
    Contract,
    Protocol,
    owner="Stacks",
    folder="experience_apis.notes.v1",
    lifecycle=retired(on=START.date(), successor="slips.v2"),
):
    """Notes, as they once were."""

    @read("/notes/{word}", scope="notes.notes:read", visible=by("account_id"))
    async def get_note(self, word: str, *, account_id: str) -> Word:
        """A note."""
        ...


class SlipsOfV1(SlipsV1):
    async def get_slip(self, word: str) -> Word:
        return Word(word=word)

    async def get_blank(self) -> Word:
        raise AssertionError("a retired operation has no implementation")


class SlipsOfV2(SlipsV2):
    async def get_slip(self, word: str) -> Word:
        return Word(word=word)


def discovered(contract: type[Any], service: type[Any]) -> DiscoveredApi:
    return DiscoveredApi(api=api_of(contract), service=service, folder=Path())


SLIPS = (
    discovered(SlipsV1, SlipsOfV1),
    discovered(SlipsV2, SlipsOfV2),
    discovered(NotesV1, tombstone(NotesV1)),
)
OLD, OLD_BLANK, NEW = "/experience/slips/v1/slips/a", "/experience/slips/v1/blank", "/experience/slips/v2/papers/a"
GONE = "/experience/notes/v1/notes/a?account_id=A"


class Life:
    """A gateway with slips, and its time."""

    def __init__(self, store: Store) -> None:
        self.clock = ManualClock(START)
        self.uses = Uses(store, self.clock)
        apis = Apis({one.api.id: one.api for one in SLIPS})
        self.policy = Enforcement(Settings(), self.uses, self.clock, apis)
        self.assembly: Assembly = assemble(apis=(*APIS, *SLIPS), clock=self.clock, policies=(self.policy,))
        self.edge = edge_of(self.assembly)

    def at(self, instant: datetime) -> None:
        self.clock.advance((instant - self.clock.now()).total_seconds())

    async def get(self, path: str = OLD, **headers: str) -> Reply:
        return await ask(self.edge, "GET", path, headers=headers)


@pytest.fixture
async def life(store: Store) -> AsyncIterator[Life]:
    world = Life(store)
    await world.policy.start()
    yield world
    await world.policy.stop()


@pytest.mark.rule("RFC 9745 §2.1", "Deprecation is a structured date, and may lie ahead")
@pytest.mark.rule("RFC 8594 §3", "Sunset is an HTTP date")
@pytest.mark.rule("RFC 9745 §3", "Link leads to the notice by rel=deprecation, and to the successor")
async def test_a_deprecation_is_announced_from_the_day_it_is_declared(life: Life) -> None:
    reply = await life.get()
    assert (reply.status, reply.json) == (200, {"word": "a"})
    assert reply.headers["deprecation"] == "@1772323200"
    assert reply.headers["sunset"] == "Tue, 01 Dec 2026 00:00:00 GMT"
    page = "</docs/experience/slips/v1>"
    assert reply.headers["link"] == (
        f'{page}; rel="deprecation"; type="text/html", {page}; rel="sunset"; type="text/html", '
        '</experience/slips/v2/papers/{word}>; rel="successor-version"'
    )


@pytest.mark.rule("RFC 9745 §2", "A refusal of a deprecated operation announces it as well")
@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [(f"{OLD}?colour=red", {}, 400), (OLD, {"Accept": "text/html"}, 406)],
    ids=["decode", "admit"],
)
async def test_refusals_announce_it_once(life: Life, path: str, headers: dict[str, str], status: int) -> None:
    reply = await life.get(path, **headers)
    assert reply.status == status
    assert reply.headers["deprecation"] == "@1772323200"
    assert {"sunset", "link"} <= set(reply.headers)


async def test_what_stays_announces_nothing(life: Life) -> None:
    reply = await life.get(NEW)
    assert reply.status == 200
    assert not {"deprecation", "sunset", "link"} & set(reply.headers)
    assert not life.policy.enforce(operation_of(SlipsV2.get_slip), "served")


@pytest.mark.parametrize("second", [0, 1, 7_199])
async def test_a_brown_out_refuses_until_its_end(life: Life, second: int) -> None:
    life.at(BROWN_OUT.begins + timedelta(seconds=second))
    reply = await life.get()
    document = reply.problem(503, "brown-out")
    assert (document["successor"], document["sunset"], document["retryable"]) == ("slips.v2", "2026-12-01", True)
    assert reply.headers["retry-after"] == str(7_200 - second)
    assert reply.headers["deprecation"] == "@1772323200"


@pytest.mark.parametrize("instant", [BROWN_OUT.begins - timedelta(seconds=1), BROWN_OUT.ends])
async def test_around_a_brown_out_it_serves(life: Life, instant: datetime) -> None:
    life.at(instant)
    assert (await life.get()).status == 200


@pytest.mark.rule("RFC 8594 §3", "After its sunset the operation answers 410")
async def test_after_its_sunset_it_is_gone_and_says_where_to_go(life: Life) -> None:
    life.at(datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC))
    assert (await life.get()).status == 200
    life.clock.advance(1)
    reply = await life.get()
    document = reply.problem(410, "gone")
    assert (document["successor"], document["sunset"], document["retryable"]) == ("slips.v2", "2026-12-01", False)
    assert 'rel="successor-version"' in reply.headers["link"]


@pytest.mark.parametrize("path", [OLD_BLANK, GONE])
async def test_what_is_retired_is_a_tombstone(life: Life, path: str) -> None:
    reply = await life.get(path)
    reply.problem(410, "gone")
    assert reply.headers["sunset"] == "Thu, 01 Jan 2026 00:00:00 GMT"


async def test_other_apis_are_not_cut_off_by_a_date(life: Life) -> None:
    life.at(datetime(2027, 1, 1, tzinfo=UTC))
    inner = {"Authorization": "Bearer loans.v1"}
    assert (await life.get(**inner)).status == 200
    (await life.get(GONE, **inner)).problem(410, "gone")
    await life.get()
    assert {use.client_id for use in await life.uses.of("slips.v1.get_slip")} == {"loans.v1", "c-1"}


async def test_uses_are_recorded_by_operation_and_client(life: Life, store: Store) -> None:
    for _ in range(3):
        await life.get()
    await life.get(GONE)
    await life.get(NEW)
    (use,) = await life.uses.of("slips.v1.get_slip")
    assert (use.client_id, use.count, use.last_used) == ("c-1", 3, START)
    (gone,) = await life.uses.of("notes.v1.get_note")
    assert gone.count == 1
    assert await life.uses.of("slips.v2.get_slip") == ()
    life.clock.advance(60)
    await life.get()
    elsewhere = Uses(store, life.clock)
    await life.uses.write()
    (use,) = await elsewhere.of("slips.v1.get_slip")
    assert (use.count, use.last_used) == (4, START + timedelta(seconds=60))


async def test_uses_wait_for_a_store_that_is_away(life: Life, valkey_socket: str) -> None:
    away = Store(f"{valkey_socket}.away")
    uses = Uses(away, life.clock)
    uses.note("slips.v1.get_slip", "c-1")
    with pytest.raises(StoreUnavailable):
        await uses.of("slips.v1.get_slip")
    uses.note("slips.v1.get_slip", "c-1")
    uses._store = life.uses._store  # the store is there again
    (use,) = await uses.of("slips.v1.get_slip")
    assert use.count == 2


def test_the_contract_says_the_same(store: Store) -> None:
    life = Life(store)
    described = document(api_of(SlipsV1), [life.policy])
    operation = described["paths"]["/slips/{word}"]["get"]
    assert (operation["deprecated"], operation["x-sunset"], operation["x-successor"]) == (
        True,
        "2026-12-01",
        "slips.v2",
    )
    assert {"Deprecation", "Sunset", "Link"} <= set(operation["responses"]["200"]["headers"])
    assert "410" in operation["responses"]
    kept = document(api_of(SlipsV2), [life.policy])["paths"]["/papers/{word}"]["get"]
    assert "deprecated" not in kept
    assert "410" not in kept["responses"]


def short(days: int) -> Operation:
    sunset = SINCE + timedelta(days=days)

    class ShortV1(
        Contract,
        Protocol,
        owner="T",
        folder="experience_apis.short.v1",
        lifecycle=deprecated(since=SINCE, sunset=sunset),
    ):
        """Short-lived."""

        @read("/x", scope="short.x:read", public_because="Nobody's.")
        async def get_x(self) -> Word:
            """X."""
            ...

    return operation_of(ShortV1.get_x)


async def test_a_notice_that_is_too_short_is_found(life: Life) -> None:
    assert [finding.id for finding in life.policy.audit(short(179))] == ["LC-010"]
    assert list(life.policy.audit(short(180))) == []
    assert list(life.policy.audit(operation_of(SlipsV1.get_slip))) == []


def test_a_successor_is_there_and_stays() -> None:
    with pytest.raises(ContractError, match=r"slips.v1 names the successor slips.v2, which is neither"):
        graph((discovered(SlipsV1, SlipsOfV1),))

    class PapersV1(
        Contract,
        Protocol,
        owner="T",
        folder="experience_apis.papers.v1",
        lifecycle=deprecated(since=SINCE, sunset=SUNSET, successor="slips.v1"),
    ):
        """Papers."""

        @read("/x", scope="papers.x:read", public_because="Nobody's.")
        async def get_x(self) -> Word:
            """X."""
            ...

    class Papers(PapersV1):
        async def get_x(self) -> Word:
            return Word(word="x")

    with pytest.raises(ContractError, match=r"papers.v1 names the successor slips.v1, which is deprecated itself"):
        graph((*SLIPS, discovered(PapersV1, Papers)))


async def test_the_report_names_who_has_to_be_told(life: Life) -> None:
    await life.get()
    known = Consumers((Consumer(client_id="c-1", name="Corner shop", contact="it@corner.example"),))
    rows = await deprecation_rows((one.api for one in SLIPS), life.uses, known)
    assert [(row.operation, row.stage) for row in rows] == [
        ("notes.v1.get_note", "retired"),
        ("slips.v1.get_blank", "retired"),
        ("slips.v1.get_slip", "deprecated"),
    ]
    (use,) = rows[-1].uses
    assert (use.client_id, use.name, use.contact, use.count) == ("c-1", "Corner shop", "it@corner.example", 1)


async def test_the_desk_serves_reports_and_says_when_the_store_is_away(life: Life) -> None:
    async def rows() -> Any:
        return await deprecation_rows((one.api for one in SLIPS), life.uses, Consumers())

    async def away() -> Any:
        raise StoreUnavailable("away")

    verifier = TokenVerifier([], "http://t", life.clock)
    handlers = desk_routes((), CallMetrics(), HopLog(), verifier, {"deprecations": rows, "away": away})
    desk = Tiergate(life.edge, handlers)
    local = [(b"host", b"localhost")]
    served = await ask(desk, "GET", "/governance/deprecations", raw_headers=local)
    assert [row["operation"] for row in served.json["deprecations"]][-1] == "slips.v1.get_slip"
    (await ask(desk, "GET", "/governance/away", raw_headers=local)).problem(503, "unavailable")
    remote = [(b"host", b"gateway.example")]
    (await ask(desk, "GET", "/governance/deprecations", raw_headers=remote)).problem(401, "unauthenticated")
