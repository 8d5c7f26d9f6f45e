"""What a run does, as a pure function of its seed: which orders are placed how, and who is killed when.

Kills come in the order of their numbers, each when so many orders were accepted. Every boundary of
a step is armed at least once where there are enough kills.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar, cast

from msgspec import Struct

from gateway.chaos.kill_switch import Victim
from gateway.chaos.plan import chance
from process_apis.flow.table import Step
from process_apis.order_to_fulfillment.flow import ORDER_TO_FULFILLMENT
from process_apis.quote_to_cash.flow import QUOTE_TO_CASH
from process_apis.returns.flow import RETURNS

T = TypeVar("T")
KillKind = Literal["step", "gateway", "worker", "store", "database"]
EFFECTS = (
    "erp.reserve_stock", "erp.release_reservation", "payments.authorize", "payments.void", "erp.post_sales_order",
    "erp.cancel_sales_order", "logistics.release_shipment", "payments.capture",
)  # fmt: skip
"""Steps of several effects may be cut between them, and an undo after any of its effects."""
NEVER = frozenset(
    step.name
    for step in QUOTE_TO_CASH.rows
    if step.name.startswith(("await_payment", "remind"))
    or step.name in ("await_last_payment", "hold_account", "collect")
) | {"tell_unfulfilled"}
"""Steps that no run comes to: customers have days to pay before they are reminded, and orders of quotes are delivered."""
SHARES: tuple[tuple[KillKind, float], ...] = (("gateway", 0.2), ("worker", 0.1), ("store", 0.1))
"""Of the kills that are left by the database; all others are at a step's boundary."""
DATABASE_KILLS = 0.08
"""Of all kills, where the database is the run's own."""
STOPS = 0.1
"""So many processes are stopped and woken, as a share of the kills."""
STOPPED_S = (1.0, 5.0)


class Kill(Struct, frozen=True, kw_only=True):
    """A process that is killed."""

    number: int
    kind: KillKind
    after_orders: int
    """How many orders were accepted before."""
    boundary: str = ""
    """Where, such as ``ship.before``; empty: at any moment."""
    victim: Victim = "worker"
    member: int = 0


class Stop(Struct, frozen=True, kw_only=True):
    """A gateway that is stopped for a while and woken."""

    after_orders: int
    member: int
    seconds: float


class Run(Struct, frozen=True, kw_only=True):
    """The size of a run."""

    seed: int
    orders: int
    kills: int
    processes: int
    database_is_own: bool = False


def boundaries() -> tuple[str, ...]:
    """Every boundary at which a process can be killed: of each record, and after each effect."""
    steps = ["undo"]
    for flow in (ORDER_TO_FULFILLMENT, RETURNS, QUOTE_TO_CASH):
        steps += [_recorded_as(group[-1]) for group in flow.groups]
        steps += [flow.last.name] if flow.last else []
    names = [step for step in dict.fromkeys(steps) if step not in NEVER]
    records = [f"{step}.{side}" for step in names for side in ("before", "after")]
    return (*records, *(f"{effect}.after" for effect in EFFECTS))


def _recorded_as(stage: object) -> str:
    """The name of a checkpoint's record: of its last step, also where the last steps are done together."""
    return stage.name if isinstance(stage, Step) else _recorded_as(cast("Sequence[object]", stage)[-1])


def kills(run: Run) -> tuple[Kill, ...]:
    """The kills of a run, in order."""
    kinds = _kinds(run)
    places = iter(_boundaries_in_order(run, kinds.count("step")))
    return tuple(
        Kill(
            number=number,
            kind=kind,
            after_orders=_moment(run, number, run.kills),
            boundary=next(places) if kind == "step" else "",
            victim="gateway" if chance(run.seed, "victim", number) < 0.4 else "worker",
            member=int(chance(run.seed, "member", number) * run.processes),
        )
        for number, kind in enumerate(kinds)
    )


def stops(run: Run) -> tuple[Stop, ...]:
    """The gateways that are stopped for a while, in order."""
    count = round(run.kills * STOPS + 0.4)
    least, most = STOPPED_S
    return tuple(
        Stop(
            after_orders=_moment(run, number, count),
            member=int(chance(run.seed, "stopped", number) * run.processes),
            seconds=least + (most - least) * chance(run.seed, "for", number) ** 2,
        )
        for number in range(count)
    )


def _moment(run: Run, number: int, count: int) -> int:
    return int(run.orders * (number + 0.5 * chance(run.seed, "moment", count, number)) / (count + 0.5))


def _kinds(run: Run) -> list[KillKind]:
    databases = max(1, round(run.kills * DATABASE_KILLS)) if run.database_is_own else 0
    counts: dict[KillKind, int] = {kind: round((run.kills - databases) * share) for kind, share in SHARES}
    counts["database"] = databases
    counts["step"] = run.kills - sum(counts.values())
    return _shuffled(run.seed, "kinds", [kind for kind, count in counts.items() for _ in range(count)])


def _boundaries_in_order(run: Run, count: int) -> list[str]:
    known = boundaries()
    rounds = range(count // len(known) + 1)
    return [place for number in rounds for place in _shuffled(run.seed, f"boundaries {number}", known)]


def _shuffled(seed: int, about: str, items: Sequence[T]) -> list[T]:
    return [item for _, item in sorted(enumerate(items), key=lambda pair: chance(seed, about, pair[0]))]
