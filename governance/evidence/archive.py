"""The evidence folder: for each run ``<run>.jsonl``, one record a line, and ``<run>.summary.json``.

A file appears whole or not at all and is never changed afterwards. Run ids begin with the time, so
the last name is the latest run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from secrets import token_hex

import msgspec

from governance.call import Clock
from governance.evidence.record import Record
from governance.evidence.summary import Summary

PRIVATE = 0o700


class EvidenceError(Exception):
    """The folder can't be written or read; the message is one sentence."""


class Archive:
    """The evidence in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder where it is not there.

        Raises:
            EvidenceError: it can't be made or written.
        """
        try:
            self.folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        except OSError as error:
            raise EvidenceError(
                f"{self.folder} can't hold evidence: {(error.strerror or str(error)).lower()}."
            ) from None
        if not os.access(self.folder, os.W_OK):
            raise EvidenceError(f"{self.folder} can't hold evidence: it can't be written.")

    def keep(self, records: Iterable[Record], summary: Summary) -> Path:
        """Write a run's records and its summary; the path of the records.

        Raises:
            EvidenceError: they can't be written.
        """
        encoder = msgspec.json.Encoder()
        path = self.folder / f"{summary.run}.jsonl"
        lines = b"".join(encoder.encode(record) + b"\n" for record in records)
        try:
            _write(path, lines)
            _write(
                self.folder / f"{summary.run}.summary.json",
                msgspec.json.format(encoder.encode(summary), indent=2) + b"\n",
            )
        except OSError as error:
            raise EvidenceError(f"{path} can't be written: {(error.strerror or str(error)).lower()}.") from None
        return path

    def latest(self) -> Summary | None:
        """The summary of the latest run, or None where there is none."""
        names = sorted(self.folder.glob("*.summary.json"))
        return msgspec.json.decode(names[-1].read_bytes(), type=Summary) if names else None

    def records(self, run: str) -> tuple[Record, ...]:
        """The records of a run."""
        lines = (self.folder / f"{run}.jsonl").read_bytes()
        return tuple(msgspec.json.Decoder(Record).decode_lines(lines))


def run_id(clock: Clock) -> str:
    """A new run's id, such as ``20261121T074500Z-3f2a``."""
    return f"{clock.now():%Y%m%dT%H%M%SZ}-{token_hex(2)}"


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
