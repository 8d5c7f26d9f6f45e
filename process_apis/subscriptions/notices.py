"""Notices: whoever is named as contact of a subscription is written to when its endpoint is disabled.

The letter goes out under a key of the subscription and its revision, until it is known to be sent:
whatever is killed, the reader gets one. While the mail system is away letters wait.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import sqlalchemy as sa

from governance.call import Accounts, Call, Clock, Principal, derive_key, enter, leave
from governance.contract import Problem, Refusal
from process_apis.events.instants import instant, microseconds
from process_apis.flow.runtime import FlowRuntime
from process_apis.subscriptions.tables import subscriptions
from system_apis.notifications.v1.contract import NotificationsV1
from system_apis.notifications.v1.model import NewMessage, SubscriptionDisabled

log = logging.getLogger("tiergate.subscriptions")
API = "subscriptions.v1"
AT_ONCE = 20
PAUSE_S = 5.0
"""Between two looks."""


class Notices:
    """Writes the letters that are due."""

    def __init__(self, flows: FlowRuntime, clock: Clock, notifications: NotificationsV1) -> None:
        self._flows = flows
        self._clock = clock
        self._notifications = notifications
        self._next_s = 0.0

    def soon(self) -> None:
        """Look again at once: an attempt failed, which may have been the last."""
        self._next_s = 0.0

    async def look(self) -> None:
        """Write to the contacts of disabled subscriptions who were not written to, every few seconds.

        Raises:
            SystemUnavailable: the database is away.
        """
        now_s = self._clock.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + PAUSE_S
        for row in await self._flows.read(_unwritten):
            if await self._written(row):
                await self._flows.write(partial(_note, row=row, now_us=microseconds(self._clock.now())))

    async def _written(self, row: Any) -> bool:
        since_us = row.failing_since_us
        message = NewMessage(
            account_id=row.account_id,
            to=row.contact,
            content=SubscriptionDisabled(
                subscription_id=row.subscription_id,
                endpoint=row.url,
                failures=max(1, row.failures),
                failing_since=None if since_us is None else instant(since_us),
                reason=row.reason,
            ),
        )
        key = derive_key("disabled", row.subscription_id, row.revision)
        who = Principal(subject=API, client_id=API, acting_api=API, accounts=Accounts(reach="all"))
        token = enter(Call(principal=who, operation_id=f"{API}.disable", idempotency_key=key, step="disable"))
        try:
            await self._notifications.send_message(message)
        except Refusal as refusal:  # asking again would be refused again
            log.warning("%s: its contact can't be written to: %s", row.subscription_id, refusal)
        except Problem as problem:
            log.warning("%s: the letter waits: %s", row.subscription_id, problem)
            return False
        finally:
            leave(token)
        return True


def _unwritten(connection: sa.Connection) -> list[Any]:
    query = sa.select(subscriptions).where(
        subscriptions.c.status == "disabled", subscriptions.c.notified_us.is_(None), subscriptions.c.contact != ""
    )
    return list(connection.execute(query.limit(AT_ONCE)))


def _note(connection: sa.Connection, row: Any, now_us: int) -> None:
    this = sa.update(subscriptions).where(
        subscriptions.c.subscription_id == row.subscription_id, subscriptions.c.revision == row.revision
    )
    connection.execute(this.values(notified_us=now_us))
