"""The kill switch: ends its own process with SIGKILL at a boundary of a step, when it is armed there.

Boundaries are before and after a flow's record of each step, and after each effect in a system. The
run arms one by a file; whoever reaches the boundary first takes the file away and dies. It also
notes every leg of a flow that this process took up and every record that it made, so that afterwards
the time from a death to the next progress of each flow is known.

It listens to the statements of every database engine in this process. Only ``faults`` puts it in.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import event

from gateway.chaos.plan import FOLDER
from process_apis.flow.checkpoint import RECORD_TABLE
from process_apis.flow.leg import TAKES_UP

Side = Literal["before", "after"]
Victim = Literal["worker", "gateway"]
REACHED = "tiergate-chaos-boundary"
TAKEN_UP = "taken_up"
"""What stands in the notes instead of a step's name where a process took the flow up."""


class Death(Struct, frozen=True, kw_only=True):
    """A process that the kill switch ended."""

    number: int
    pid: int
    at: float
    boundary: str
    victim: Victim


class Arming(Struct, frozen=True, kw_only=True):
    """What an armed boundary holds: the number of the kill, and whether the supervisor dies as well."""

    number: int
    victim: Victim = "worker"


def arm(home: Path, boundary: str, arming: Arming) -> None:
    """Let the next process that reaches ``boundary`` die."""
    waiting = home / FOLDER / f"{boundary}.arming"
    waiting.write_bytes(msgspec.json.encode(arming))
    waiting.replace(home / FOLDER / "armed" / boundary)


def disarm(home: Path) -> list[str]:
    """Take back what is armed and was not reached; which boundaries."""
    found: list[str] = []
    for file in (home / FOLDER / "armed").iterdir():
        with suppress(FileNotFoundError):  # just reached
            file.unlink()
            found.append(file.name)
    return found


def deaths(home: Path) -> tuple[Death, ...]:
    """Every death by a kill switch of this home, in order."""
    try:
        lines = (home / FOLDER / "deaths").read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    return tuple(msgspec.json.decode(line, type=Death) for line in lines)


class KillSwitch:
    """The kill switch of this process."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER
        self._armed = self._folder / "armed"
        self._progress = -1

    def start(self) -> None:
        """Listen to the databases of this process."""
        if self._progress >= 0:
            return
        path = self._folder / "progress" / str(os.getpid())
        self._progress = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        event.listen(sa.Engine, "before_cursor_execute", self._about_to_record)
        event.listen(sa.Pool, "checkin", self._recorded)

    def stop(self) -> None:
        """Listen no more."""
        if self._progress >= 0:
            event.remove(sa.Engine, "before_cursor_execute", self._about_to_record)
            event.remove(sa.Pool, "checkin", self._recorded)
            os.close(self._progress)
            self._progress = -1

    def reach(self, name: str, side: Side) -> None:
        """Die here if this boundary is armed."""
        file = self._armed / f"{name}.{side}"
        try:
            arming = msgspec.json.decode(file.read_bytes(), type=Arming)
            file.unlink()
        except FileNotFoundError:  # not armed, or another process took it
            return
        self._die(arming, file.name)

    def _die(self, arming: Arming, boundary: str) -> None:
        death = Death(
            number=arming.number,
            pid=os.getpid(),
            at=time.time(),
            boundary=boundary,
            victim=arming.victim,
        )
        with (self._folder / "deaths").open("ab", buffering=0) as file:
            file.write(msgspec.json.encode(death) + b"\n")
        if arming.victim == "gateway":
            os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    def _about_to_record(self, connection: sa.Connection, _: Any, statement: str, *rest: Any) -> None:
        if RECORD_TABLE in statement and statement.startswith("INSERT"):
            values = rest[1].compiled_parameters[0]
            name = str(values.get("function_name"))
            self.reach(name, "before")
            connection.info[REACHED] = (str(values.get("workflow_uuid")), name)
        elif flow := rest[1].execution_options.get(TAKES_UP):
            self._note(flow, TAKEN_UP)

    def _recorded(self, _: object, record: Any) -> None:
        reached = record.info.pop(REACHED, None)
        if reached is not None:
            flow, name = reached
            self._note(flow, name)
            self.reach(name, "after")

    def _note(self, flow: str, name: str) -> None:
        os.write(self._progress, f"{time.time():.4f} {flow} {name}\n".encode())
