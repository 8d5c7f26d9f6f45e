"""The call under way: who calls, for whom, which operation, under which key and until when.

A ``Call`` travels in a context variable. A binding derives the child's from it, so identity, key,
trace and deadline follow the work through every tier without being passed by hand.
"""

from __future__ import annotations

from contextvars import ContextVar
from secrets import token_hex
from typing import Literal

from msgspec import Struct

from governance.call.allowance import Allowance
from governance.call.keys import child_key
from governance.contract.problems import Problem

ACCOUNT_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"
"""What an account id looks like, in contracts as in tokens."""


class AccountRequired(Problem, status=403, type="account-required", title="This caller stands for no account."):
    """The operation works for one account and the caller is bound to none."""


class Accounts(Struct, frozen=True, kw_only=True):
    """The customer accounts whose records a principal may see: ``ids``, everything below them, or all."""

    ids: tuple[str, ...] = ()
    reach: Literal["own", "subtree", "all"] = "own"


class Principal(Struct, frozen=True, kw_only=True):
    """Who acts. ``acting_api`` (such as ``portal.v1``) is set when an API calls for the subject."""

    subject: str
    client_id: str
    scopes: frozenset[str] = frozenset()
    accounts: Accounts = Accounts()
    acting_api: str | None = None
    expires_at: float = 0.0
    """Unix seconds after which the token that proved this principal is void; 0 for none."""

    @property
    def account_id(self) -> str:
        """The account the principal stands for: the first it is bound to.

        Raises:
            AccountRequired: it is bound to none.
        """
        if not self.accounts.ids:
            raise AccountRequired(detail="Use credentials that are bound to a customer account.")
        return self.accounts.ids[0]


class Call:
    """One call of one operation. ``principal`` holds the authority, ``on_behalf_of`` the user behind it."""

    __slots__ = (
        "_ordinals", "allowance", "deadline", "idempotency_key", "if_match", "last_event_id", "on_behalf_of", "operation_id", "principal", "request_id",
        "revision", "step", "traceparent", "visible_accounts", "wait_s",
    )  # fmt: skip

    def __init__(
        self,
        *,
        principal: Principal,
        operation_id: str,
        on_behalf_of: Principal | None = None,
        idempotency_key: str | None = None,
        request_id: str = "",
        traceparent: str | None = None,
        deadline: float | None = None,
        wait_s: float = 0.0,
        step: str = "",
        revision: int = 0,
    ) -> None:
        self.principal = principal
        self.on_behalf_of = on_behalf_of or principal
        self.operation_id = operation_id
        self.idempotency_key = idempotency_key
        self.request_id = request_id or token_hex(16)
        self.traceparent = traceparent
        self.deadline = deadline
        """Monotonic seconds by which the caller stops waiting; None for no deadline."""
        self.wait_s = wait_s
        """RFC 7240 ``Prefer: wait``: how long an accepting operation may hold its answer."""
        self.step = step
        self.revision = revision
        self.if_match: str | None = None
        """The revision that a replace or amend was told to start from; ``*`` for any."""
        self.last_event_id: str | None = None
        """The event after which the reader of a stream goes on; None from the beginning."""
        self.allowance: Allowance | None = None
        """The retries that a hop lent; None where the call began in this process."""
        self.visible_accounts: tuple[str, ...] | None = None
        """What the user's own accounts and all below them are; set by ownership for lists of who sees a subtree."""
        self._ordinals: dict[str, int] | None = None

    @property
    def account_id(self) -> str:
        """The account of the user behind the call; see ``Principal.account_id``."""
        return self.on_behalf_of.account_id

    def listed_accounts(self, asked: str | None) -> tuple[str, ...] | None:
        """The accounts that a list is held to: the one asked for, else all that the user sees; None for no limit."""
        if asked is not None:
            return (asked,)
        accounts = self.on_behalf_of.accounts
        if accounts.reach == "all":
            return None
        return tuple(sorted(self.visible_accounts or accounts.ids))

    @property
    def key(self) -> str:
        """The idempotency key of this call.

        Raises:
            RuntimeError: the operation takes none, so nothing may be keyed by it.
        """
        if self.idempotency_key is None:
            raise RuntimeError(f"{self.operation_id} was called without an idempotency key")
        return self.idempotency_key

    def child(self, operation_id: str, acting_api: str, scope: str, *, keyed: bool) -> Call:
        """The call that ``acting_api`` makes from here, with a key of its own where the operation is keyed."""
        user = self.on_behalf_of
        authority = Principal(
            subject=user.subject,
            client_id=user.client_id,
            scopes=frozenset((scope,)),
            accounts=user.accounts,
            acting_api=acting_api,
        )
        child = Call(
            principal=authority,
            operation_id=operation_id,
            on_behalf_of=user,
            idempotency_key=self._key_for(operation_id) if keyed else None,
            request_id=self.request_id,
            traceparent=self.traceparent,
            deadline=self.deadline,
            wait_s=self.wait_s,
        )
        child.allowance = self.allowance
        return child

    def _key_for(self, operation_id: str) -> str:
        parent = self.idempotency_key or token_hex(13)
        if self.step:
            return child_key(parent, operation_id, self.step, self.revision)
        if self._ordinals is None:
            self._ordinals = {}
        ordinal = self._ordinals[operation_id] = self._ordinals.get(operation_id, 0) + 1
        return child_key(parent, operation_id, str(ordinal))


_current: ContextVar[Call] = ContextVar("tiergate_call")

enter = _current.set
leave = _current.reset


def current_call() -> Call:
    """The call under way.

    Raises:
        LookupError: nothing is being called: code that needs a call ran outside every binding.
    """
    return _current.get()


def calling() -> Call | None:
    """The call under way, or None outside every binding."""
    return _current.get(None)
