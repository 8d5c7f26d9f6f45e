"""Who started a flow, kept for as long as it runs: flows outlive tokens.

What is kept is who, never a token. Authority was judged at acceptance; before each step the call
is rebuilt from this, and the calling API's own grant decides what it may call.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from governance.call import Accounts, Call, Principal


class Initiator(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The user behind a flow, as of its acceptance."""

    subject: str
    client_id: str
    operation_id: str
    at: datetime
    account_ids: tuple[str, ...] = ()
    reach: Literal["own", "subtree", "all"] = "own"
    scopes: tuple[str, ...] = ()
    request_id: str = ""
    traceparent: str | None = None
    idempotency_key: str = ""
    """What the call was made under, so that a flow can be found by it."""

    @property
    def principal(self) -> Principal:
        """The user as a principal; nothing proves it any more, so it only says on whose behalf."""
        return Principal(
            subject=self.subject,
            client_id=self.client_id,
            scopes=frozenset(self.scopes),
            accounts=Accounts(ids=self.account_ids, reach=self.reach),
        )

    def call(self, api_id: str, key: str, step: str, revision: int, deadline: float) -> Call:
        """The call of ``api_id`` in the flow's name; calls made under it have keys of this step."""
        user = self.principal
        return Call(
            principal=Principal(
                subject=self.subject, client_id=self.client_id, accounts=user.accounts, acting_api=api_id
            ),
            operation_id=self.operation_id,
            on_behalf_of=user,
            idempotency_key=key,
            request_id=self.request_id,
            traceparent=self.traceparent,
            step=step,
            revision=revision,
            deadline=deadline,
        )


def initiator_of(call: Call, at: datetime) -> Initiator:
    """Who is behind ``call``."""
    user = call.on_behalf_of
    return Initiator(
        subject=user.subject,
        client_id=user.client_id,
        operation_id=call.operation_id,
        at=at,
        account_ids=user.accounts.ids,
        reach=user.accounts.reach,
        scopes=tuple(sorted(user.scopes)),
        request_id=call.request_id,
        traceparent=call.traceparent,
        idempotency_key=call.idempotency_key or "",
    )
