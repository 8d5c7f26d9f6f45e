"""What a company decides about its queues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from process_apis.flow.queues import QUEUES, Queue

DAY_S = 86_400
Address = Annotated[
    str, Meta(max_length=254, pattern=r"^([!-?A-~]+@[!-?A-~]+)?$", description="an address such as team@example.com")
]


class QueueRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[processes.exceptions.<queue>]``; what is left out is as ``process_apis/flow/queues.py`` says."""

    due_s: Annotated[int, Meta(ge=60, le=365 * DAY_S, description="a number of seconds from 60 to a year")] | None = (
        None
    )
    """An exception should be settled this many seconds after it was opened."""
    escalate_to: Address = ""
    """Who is written to about one that was not; empty: nobody."""


class ExceptionSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[processes.exceptions]``: a table for each queue."""

    orders: QueueRules = QueueRules()
    credit: QueueRules = QueueRules()
    stock: QueueRules = QueueRules()
    payments: QueueRules = QueueRules()
    invoices: QueueRules = QueueRules()
    returns: QueueRules = QueueRules()
    data_quality: QueueRules = QueueRules()

    def queues(self) -> Mapping[str, Queue]:
        """Every queue under these rules."""
        return {name: _under(getattr(self, name), queue) for name, queue in QUEUES.items()}

    def changed_due(self) -> Mapping[str, int]:
        """Queue to due time in seconds, where the company has its own."""
        rules: dict[str, QueueRules] = {name: getattr(self, name) for name in QUEUES}
        return {name: rule.due_s for name, rule in rules.items() if rule.due_s is not None}


def _under(rules: QueueRules, queue: Queue) -> Queue:
    return replace(queue, due_s=rules.due_s or queue.due_s, escalate_to=rules.escalate_to)
