"""Looking entries up by who, what, where and when, over every journal of the home, in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct

from governance.audit.chain import entries, journals
from governance.audit.entry import AuditEntry


class Filter(Struct, frozen=True, kw_only=True):
    """What is looked for; an empty field admits everything."""

    since: datetime | None = None
    until: datetime | None = None
    client: str = ""
    subject: str = ""
    """A reference, not a name."""
    operation: str = ""
    """An operation id, or a pattern such as ``portal.*``."""
    record: str = ""
    account: str = ""
    outcome: str = ""
    """``ok``, a problem type, or ``refused`` for any problem."""
    request: str = ""

    def admits(self, entry: AuditEntry) -> bool:
        """Whether the entry is among them."""
        return (
            (self.since is None or entry.at >= self.since)
            and (self.until is None or entry.at < self.until)
            and self.client in ("", entry.client)
            and self.subject in ("", entry.subject)
            and (not self.operation or fnmatchcase(entry.operation, self.operation))
            and (not self.record or self.record in entry.records)
            and (not self.account or self.account in entry.accounts)
            and self._outcome_fits(entry)
            and self.request in ("", entry.request_id)
        )

    def _outcome_fits(self, entry: AuditEntry) -> bool:
        return self.outcome in ("", entry.outcome) or (self.outcome == "refused" and entry.outcome != "ok")


def search(folder: Path, wanted: Filter) -> Iterator[AuditEntry]:
    """Every entry that ``wanted`` admits, the oldest first."""
    found = ((line.entry for line in entries(folder, journal)) for journal in journals(folder))
    in_order = heapq.merge(*found, key=lambda entry: entry.at)
    return (entry for entry in in_order if wanted.admits(entry))
