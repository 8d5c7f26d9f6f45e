"""The business queues that settle exceptions: who owns each, and how soon it answers.

They are data: a step names its queue, and everything else about the queue stands here. A company's own
times and addresses are in ``[processes.exceptions.<queue>]``.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

HOUR_S = 3_600


class Queue(Struct, frozen=True, kw_only=True):
    """A queue and the team that works on it."""

    name: str
    owner: str
    """The team."""
    summary: str
    """What falls to it."""
    due_s: int
    """An exception should be settled this many seconds after it was opened."""
    escalate_to: str = ""
    """The address that is written to about one that was not; empty: nobody's."""


QUEUES: Mapping[str, Queue] = {
    queue.name: queue
    for queue in (
        Queue(
            name="orders",
            owner="Order operations",
            summary="Orders that can't go on and belong to no other team.",
            due_s=4 * HOUR_S,
        ),
        Queue(
            name="credit",
            owner="Credit control",
            summary="Accounts on hold, limits that are exceeded, approvals.",
            due_s=2 * HOUR_S,
        ),
        Queue(
            name="stock",
            owner="Supply planning",
            summary="Goods that are not there, and shipments that warehouses cancel or can't take.",
            due_s=2 * HOUR_S,
        ),
        Queue(
            name="payments",
            owner="Treasury",
            summary="Cards that are declined late, captures and refunds that fail.",
            due_s=2 * HOUR_S,
        ),
        Queue(
            name="invoices",
            owner="Billing",
            summary="Invoices and credit memos that can't be posted.",
            due_s=4 * HOUR_S,
        ),
        Queue(
            name="returns",
            owner="Customer service",
            summary="Returns that don't fit what was sold.",
            due_s=8 * HOUR_S,
        ),
        Queue(
            name="data_quality",
            owner="Master data",
            summary="Records that contradict each other, and faults of the processes themselves.",
            due_s=24 * HOUR_S,
        ),
    )
}
DEFAULT = QUEUES["orders"]


def queue_of(name: str) -> Queue:
    """The queue of this name; the one for everything else where there is none."""
    return QUEUES.get(name, DEFAULT)
