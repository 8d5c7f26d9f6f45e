"""What becomes of an exception: something that only people can settle."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from process_apis.events.kind import kind
from system_apis.canonical.values import AccountId, RecordId, Text


@kind("exception.opened")
class ExceptionOpened(Struct, frozen=True, kw_only=True):
    """A flow waits for people."""

    exception_id: RecordId
    flow_id: RecordId
    account_id: AccountId
    queue: str
    step: str
    problem: str
    reason: Text


@kind("exception.escalated")
class ExceptionEscalated(Struct, frozen=True, kw_only=True):
    """An exception is past its due time."""

    exception_id: RecordId
    flow_id: RecordId
    account_id: AccountId
    queue: str
    due_at: datetime


@kind("exception.settled")
class ExceptionSettled(Struct, frozen=True, kw_only=True):
    """People settled what a flow waited for."""

    exception_id: RecordId
    flow_id: RecordId
    account_id: AccountId
    choice: str
    """``retry``, ``skip``, ``amend`` or ``cancel``; an open list of words."""
