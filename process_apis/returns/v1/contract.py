"""Returns, version 1: goods that come back, from the customer's wish to the credit."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from governance.contract import Contract, Cursor, Limit, Page, action, by, create, read, search
from process_apis.returns.v1.model import (
    NewReturn,
    Return,
    ReturnCancellation,
    ReturnDecision,
    ReturnInspection,
    ReturnReceipt,
    ReturnStatus,
    Timeline,
)
from system_apis.canonical.refusals import FourEyes, QuantityExceeded, WrongState
from system_apis.canonical.values import AccountId, RecordId


class ReturnsV1(Contract, Protocol, owner="Returns desk"):
    """Authorises returns, takes the goods in, has them inspected and credits what was accepted.

    A return is accepted at once and worked on afterwards: `status` says how far it is. Until the goods
    are here it can be cancelled; goods that never come let it expire. One idempotency key makes one return.
    """

    @create(
        "/returns",
        scope="returns.returns:write",
        accepted=True,
        visible=by("account_id"),
        location="/returns/{return_id}",
    )
    async def create_return(self, goods: NewReturn) -> Return:
        """Ask to send goods of an order back.

        Answered as soon as the wish is kept. It is then authorised, or `rejected` when more is wanted back than
        was shipped and not returned yet, or when it is too late; a high value waits for a decision.
        With `Prefer: wait=n` the answer is held until one of these is so, or for n seconds.
        """
        ...

    @read("/returns/{return_id}", scope="returns.returns:read", visible=by("account_id"))
    async def get_return(self, return_id: RecordId) -> Return:
        """A return and how far it is."""
        ...

    @search("/returns", scope="returns.returns:read", visible=by("account_id"))
    async def list_returns(
        self,
        *,
        account_id: AccountId | None = None,
        order_id: RecordId | None = None,
        status: ReturnStatus | None = None,
        updated_since: datetime | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Return]:
        """Returns, newest first, by account, order, status or last change."""
        ...

    @action(
        "/returns/{return_id}/decide",
        scope="returns.decisions:write",
        raises=[FourEyes, WrongState],
        accepted=True,
        visible=by("account_id"),
    )
    async def decide_return(self, return_id: RecordId, decision: ReturnDecision) -> Return:
        """Say yes or no to a return that waits for a decision.

        Refused to who asked for the return.
        """
        ...

    @action(
        "/returns/{return_id}/receive",
        scope="returns.receipts:write",
        raises=[WrongState],
        accepted=True,
        visible=by("account_id"),
    )
    async def receive_return(self, return_id: RecordId, receipt: ReturnReceipt) -> Return:
        """Say what came back.

        There is one receipt for a return: what did not come with it can be returned again under another
        number. From here on the return can't be cancelled any more.
        """
        ...

    @action(
        "/returns/{return_id}/inspect",
        scope="returns.inspections:write",
        raises=[WrongState, QuantityExceeded],
        accepted=True,
        visible=by("account_id"),
    )
    async def inspect_return(self, return_id: RecordId, inspection: ReturnInspection) -> Return:
        """Say what can be sold again, what is scrapped and what is not accepted.

        The credit follows by itself.
        """
        ...

    @action(
        "/returns/{return_id}/cancel",
        scope="returns.returns:write",
        raises=[WrongState],
        accepted=True,
        visible=by("account_id"),
    )
    async def cancel_return(self, return_id: RecordId, cancellation: ReturnCancellation) -> Return:
        """Cancel a return before its goods are here.

        Asking again for a cancelled one changes nothing.
        """
        ...

    @read("/returns/{return_id}/timeline", scope="returns.returns:read", visible=by("account_id"))
    async def get_timeline(self, return_id: RecordId) -> Timeline:
        """What was done for a return, oldest first."""
        ...
