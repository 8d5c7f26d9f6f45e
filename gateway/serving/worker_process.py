"""One worker as its supervisor sees it: a process, the line to it, and what it reported."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from typing import IO, Literal

from msgspec import Struct

from gateway.serving.control import Order, Report, order_frame, read_report
from gateway.settings import Settings

ANSWER_S = 10.0
LAST_WORDS_S = 1.0
"""How long after a worker's end its last report may take to be read."""


class WorkerGone(Exception):
    """The worker ended, or does not answer."""


class Launch(Struct, frozen=True, kw_only=True):
    """How workers are started."""

    app: str
    listener: socket.socket
    environ: Mapping[str, str]
    log: IO[bytes] | None
    """Where workers log; None for the supervisor's own output."""


class WorkerProcess:
    """A started worker."""

    def __init__(self, process: Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._process = process
        self._writer = writer
        self._refusal = ""
        self._ready = asyncio.Event()
        self._answers: asyncio.Queue[Report] = asyncio.Queue()
        self._listening = asyncio.create_task(self._listen(reader))
        self._ended = asyncio.create_task(process.wait())

    @classmethod
    async def start(cls, launch: Launch, settings: Settings) -> WorkerProcess:
        """A new worker that serves with ``settings``."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "gateway.serving.worker",
                    "--app", launch.app,
                    "--listener", str(launch.listener.fileno()),
                    "--control", str(theirs.fileno()),
                    "--parent", str(os.getpid()),
                    pass_fds=(launch.listener.fileno(), theirs.fileno()),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=launch.log,
                    stderr=launch.log,
                    env=dict(launch.environ),
                    start_new_session=True,  # Ctrl-C in the terminal reaches the supervisor only
                )  # fmt: skip
        except BaseException:
            ours.close()
            raise
        reader, writer = await asyncio.open_connection(sock=ours)
        writer.write(order_frame(Order("start", settings)))
        return cls(process, reader, writer)

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.returncode is None

    async def settled(self) -> bool:
        """Wait until it is ready (true) or has ended without (false)."""
        ready = asyncio.create_task(self._ready.wait())
        try:
            await asyncio.wait({ready, self._ended}, return_when=asyncio.FIRST_COMPLETED)
            return self._ready.is_set() and self.running
        finally:
            ready.cancel()

    async def ended(self) -> tuple[int, str]:
        """Wait for its end: exit code, and why it refused to start if it did."""
        code = await asyncio.shield(self._ended)
        await asyncio.wait({self._listening}, timeout=LAST_WORDS_S)
        self._listening.cancel()
        self._writer.close()
        return code, self._refusal

    async def ask(self, verb: Literal["examine", "apply"], settings: Settings) -> tuple[str, ...]:
        """What is wrong with ``settings`` in the eyes of a worker that is ready; nothing where they can hold.

        Raises:
            WorkerGone: it did not answer within ``ANSWER_S`` seconds.
        """
        self._writer.write(order_frame(Order(verb, settings)))
        answer = asyncio.create_task(self._answers.get())
        try:
            await asyncio.wait({answer, self._ended}, timeout=ANSWER_S, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise WorkerGone
            return answer.result().sentences
        finally:
            answer.cancel()

    def leave(self, settings: Settings) -> None:
        """Let it send its clients elsewhere, then drain."""
        if self.running:
            self._writer.write(order_frame(Order("leave", settings)))

    def drain(self) -> None:
        """Let it finish what is under way and end."""
        if self.running:
            self._process.terminate()

    def kill(self) -> None:
        """End it at once."""
        if self.running:
            self._process.kill()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while (report := await read_report(reader)) is not None:
            match report.kind:
                case "ready":
                    self._ready.set()
                case "refused":
                    self._refusal = "\n".join(report.sentences)
                case "answer":
                    self._answers.put_nowait(report)
