"""What becomes of a step that did not get done: asked again, laid to rest, turned back, or given to people."""

from __future__ import annotations

from msgspec import Struct

from governance.call import Clock
from governance.contract import Problem, Refusal
from process_apis.flow.retrying import OUTAGE, POLL, Backoff, asked_s, is_final
from process_apis.flow.settings import MOST_PARKED_S, FlowSettings
from process_apis.flow.table import NotYet, Refused, Retry
from process_apis.flow.timeline import microseconds
from process_apis.flow.trouble import UNDO
from process_apis.flow.verdict import FlowStart, Kind, Verdict

SECOND_US = 1_000_000


class Place(Struct, frozen=True, kw_only=True):
    """What is asked, and what a failure there means."""

    name: str
    retry: Retry
    before_return: bool = False
    """A refusal turns the flow back."""
    listens: tuple[str, ...] = ()


class Patience:
    """How long one step of one leg has been asked, and how it failed."""

    def __init__(self, place: Place, start: FlowStart, settings: FlowSettings, clock: Clock, *, told: bool) -> None:
        self._place = place
        self._settings = settings
        self._clock = clock
        self._began = clock.monotonic()
        self._told = told
        """People know of it already: the flow asks once, and rests again."""
        self._parks = start.parks
        self._failing_us = start.failing_us
        self._waits = 0
        self.attempts = start.attempts

    @property
    def asked_before(self) -> bool:
        """Whether this is not the first attempt."""
        return self.attempts + self._waits > 0

    def after(self, error: Exception) -> Verdict | float:
        """What follows an attempt that ended so: a verdict, or the seconds until the next attempt."""
        if isinstance(error, NotYet):
            self._failing_us = self.attempts = 0
            return self._waited(error)
        self._failing_us = self._failing_us or microseconds(self._clock.now())
        self.attempts += 1
        if not is_final(error, self.attempts - 1):
            return self._outage(error)
        kind: Kind = "refusal" if isinstance(error, Refusal) else "fault"
        if self._place.before_return and not (kind == "refusal" and self._place.retry.refusal == "people"):
            why = why_of(error)
            return Verdict(outcome="refused", problem=why.problem, reason=why.reason)
        by_itself = kind == "refusal" and not self._place.before_return
        if self._place.name.startswith(UNDO):
            kind = "undo"
        return self.stuck(kind, why_of(error), asks_again=by_itself)

    def stuck(self, kind: Kind, why: Refused, *, asks_again: bool) -> Verdict:
        """The verdict that people have to see to it, while the flow asks again by itself or rests until then."""
        return Verdict(
            outcome="stuck",
            kind=kind,
            step=self._place.name,
            problem=why.problem,
            reason=why.reason,
            due_us=self._later_us() if asks_again else None,
            failing_us=self._failing_us,
            attempts=self.attempts,
        )

    def _waited(self, wait: NotYet) -> Verdict | float:
        if wait.due_at is not None:
            return self._parked(microseconds(wait.due_at))
        if self._place.listens and not wait.soon:
            return self._parked(microseconds(self._clock.now()) + round(MOST_PARKED_S * SECOND_US))
        self._waits += 1
        return self._parked(self._later_us()) if self._impatient else POLL.delay_s(self._waits - 1)

    def _outage(self, error: Exception) -> Verdict | float:
        lasted_us = microseconds(self._clock.now()) - self._failing_us
        if self._told or lasted_us >= self._place.retry.outage_s * SECOND_US:
            return self.stuck("outage", why_of(error), asks_again=True)
        if self._impatient:
            return self._parked(self._later_us())
        return max(OUTAGE.delay_s(self.attempts - 1), asked_s(error))

    @property
    def _impatient(self) -> bool:
        return self._clock.monotonic() - self._began > self._settings.patience_s

    def _parked(self, due_us: int) -> Verdict:
        return Verdict(outcome="parked", due_us=due_us, failing_us=self._failing_us, attempts=self.attempts)

    def _later_us(self) -> int:
        pauses = Backoff(first_s=self._settings.park_s, factor=2, most_s=MOST_PARKED_S)
        return microseconds(self._clock.now()) + round(pauses.delay_s(self._parks) * SECOND_US)


def why_of(error: Exception) -> Refused:
    """The problem type and the words of what a step met; nothing of a fault leaves the log."""
    if isinstance(error, Problem):
        return Refused(error.type, error.detail or error.title)
    if isinstance(error, OSError):
        return Refused("unavailable", "A system is away.")
    return Refused("internal-error", "The flow failed.")
