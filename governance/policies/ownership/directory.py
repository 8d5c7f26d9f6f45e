"""Which accounts a principal sees: its own, all below them, or all.

The hierarchy is asked of an injected directory and remembered for ``subtree_ttl_s``, one question
at a time per account. An account that the directory refuses to know has nothing below it. When the
directory is away its problem ends the call: nothing becomes visible by an outage.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from typing import Annotated, Protocol

from msgspec import Meta, Struct

from governance.call import Accounts, Clock
from governance.contract.problems import NotFound, Refusal

MOST_SUBTREES = 10_000


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[policies.ownership]``."""

    subtree_ttl_s: Annotated[
        float, Meta(ge=0, le=3_600, description="How long an account's subtree is remembered, seconds.")
    ] = 60.0


class AccountDirectory(Protocol):
    """Knows the account hierarchy."""

    async def subtree(self, account_id: str) -> frozenset[str]:
        """The account and every account below it."""
        ...


class Visibility:
    """Answers whether accounts are visible. Services that must know before an effect take it by type, too."""

    def __init__(self, settings: Settings, clock: Clock, directory: AccountDirectory | None = None) -> None:
        self._ttl_s = settings.subtree_ttl_s
        self._clock = clock
        self._directory = directory
        self._subtrees: OrderedDict[str, tuple[frozenset[str], float]] = OrderedDict()
        self._asked: dict[str, asyncio.Task[frozenset[str]]] = {}

    async def demand(self, accounts: Accounts, account_ids: Iterable[str | None]) -> None:
        """Pass when every account is visible; None, a record of nobody, is visible to ``all`` alone.

        Raises:
            NotFound: one is not, exactly as if nothing were there.
        """
        if accounts.reach == "all":
            return
        outside = {one for one in account_ids if one not in accounts.ids}
        if not outside:
            return
        if accounts.reach == "own" or None in outside:
            raise NotFound()
        for root in accounts.ids:
            outside -= await self._subtree(root)
            if not outside:
                return
        raise NotFound()

    async def everything(self, accounts: Accounts) -> tuple[str, ...]:
        """Every account that is visible to a principal that does not see all of them."""
        if accounts.reach == "own":
            return accounts.ids
        found: set[str] = set()
        for root in accounts.ids:
            found |= await self._subtree(root)
        return tuple(found)

    async def _subtree(self, account_id: str) -> frozenset[str]:
        known = self._subtrees.get(account_id)
        if known is not None and self._clock.monotonic() < known[1]:
            return known[0]
        task = self._asked.get(account_id)
        if task is None:
            task = self._asked[account_id] = asyncio.ensure_future(self._ask(account_id))
            task.add_done_callback(lambda _: self._asked.pop(account_id, None))
        return await asyncio.shield(task)  # a caller that gives up leaves the question to the others

    async def _ask(self, account_id: str) -> frozenset[str]:
        below = frozenset[str]()
        if self._directory is not None:
            try:
                below = await self._directory.subtree(account_id)
            except Refusal:
                below = frozenset[str]()  # the directory knows no such account
        found: frozenset[str] = below | {account_id}
        self._subtrees[account_id] = (found, self._clock.monotonic() + self._ttl_s)
        self._subtrees.move_to_end(account_id)
        if len(self._subtrees) > MOST_SUBTREES:
            self._subtrees.popitem(last=False)
        return found
