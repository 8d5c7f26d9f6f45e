"""What Tiergate needs of any CRM, in canonical terms.

Guarantees that every connector keeps, and the conformance suite proves:

- a ``reference`` names one effect for ever: the same reference with the same content answers the
  record as it stands now, with other content it is refused with ``ReferenceTaken``;
- a change names the account it is for, and finds no record of another account;
- every write is found again by its reference, so that a caller who lost the answer can ask;
- a list is ordered by identifier and continues after ``after``, which need not exist any more;
- a list that is given ``account_ids`` holds records of these accounts only; None: of all.

When the CRM can't be reached a connector raises a retryable problem, never a refusal.
"""

from __future__ import annotations

from typing import Protocol

from system_apis.canonical.changes import Changes
from system_apis.canonical.entities import Account, AccountTree, Activity, Case, Contact, Opportunity, Quote
from system_apis.crm.drafts import (
    AccountDetails,
    NewActivity,
    NewCase,
    NewContact,
    NewOpportunity,
    NewQuote,
    OpportunityStage,
    QuoteRevision,
)


class AccountPort(Protocol):
    """Accounts, their hierarchy and their people."""

    async def get_account(self, account_id: str) -> Account:
        """The account. Raises NotFound."""
        ...

    async def list_accounts(
        self,
        *,
        account_ids: tuple[str, ...] | None,
        query: str | None,
        owner: str | None,
        parent_id: str | None,
        status: str | None,
        after: str | None,
        limit: int,
    ) -> tuple[Account, ...]:
        """At most ``limit`` accounts; ``query`` is part of a name or number in any case."""
        ...

    async def put_account(self, account_id: str, details: AccountDetails) -> Account:
        """The account, made or replaced; its number is its reference. Raises UnknownAccount (parent), HierarchyLoop."""
        ...

    async def get_subtree(self, account_id: str) -> AccountTree:
        """The account and all below it. Raises NotFound."""
        ...

    async def create_contact(self, contact: NewContact, reference: str) -> Contact:
        """The contact, added. Raises UnknownAccount, ReferenceTaken."""
        ...

    async def get_contact(self, contact_id: str) -> Contact:
        """The contact. Raises NotFound."""
        ...

    async def find_contact_by_reference(self, reference: str) -> Contact | None:
        """The contact that a write under ``reference`` made."""
        ...

    async def list_contacts(
        self, *, account_ids: tuple[str, ...] | None, after: str | None, limit: int
    ) -> tuple[Contact, ...]:
        """At most ``limit`` contacts."""
        ...


class PipelinePort(Protocol):
    """Opportunities and quotes."""

    async def create_opportunity(self, opportunity: NewOpportunity, reference: str) -> Opportunity:
        """The opportunity, added. Raises UnknownAccount, ReferenceTaken."""
        ...

    async def get_opportunity(self, opportunity_id: str) -> Opportunity:
        """The opportunity. Raises NotFound."""
        ...

    async def find_opportunity_by_reference(self, reference: str) -> Opportunity | None:
        """The opportunity that a write under ``reference`` made or moved."""
        ...

    async def list_opportunities(
        self, *, account_ids: tuple[str, ...] | None, stage: str | None, after: str | None, limit: int
    ) -> tuple[Opportunity, ...]:
        """At most ``limit`` opportunities."""
        ...

    async def move_opportunity(
        self, opportunity_id: str, account_id: str, stage: OpportunityStage, reference: str
    ) -> Opportunity:
        """The opportunity in ``stage``. Raises NotFound, WrongState (won or lost already), ReferenceTaken."""
        ...

    async def create_quote(self, quote: NewQuote, reference: str) -> Quote:
        """A draft. Raises UnknownAccount, CurrencyMismatch, NotFound (opportunity), ReferenceTaken."""
        ...

    async def get_quote(self, quote_id: str) -> Quote:
        """The quote; a draft or sent one reads ``expired`` after its last day. Raises NotFound."""
        ...

    async def find_quote_by_reference(self, reference: str) -> Quote | None:
        """The quote that a write under ``reference`` made or changed."""
        ...

    async def list_quotes(
        self, *, account_ids: tuple[str, ...] | None, status: str | None, after: str | None, limit: int
    ) -> tuple[Quote, ...]:
        """At most ``limit`` quotes; ``status`` as ``get_quote`` would show it."""
        ...

    async def revise_quote(self, quote_id: str, revision: QuoteRevision, reference: str) -> Quote:
        """The next revision, a draft again. Raises NotFound, WrongState, CurrencyMismatch, ReferenceTaken."""
        ...

    async def send_quote(self, quote_id: str, account_id: str, reference: str) -> Quote:
        """Draft to sent. Raises NotFound, WrongState, ReferenceTaken."""
        ...

    async def accept_quote(self, quote_id: str, account_id: str, reference: str) -> Quote:
        """Sent to accepted, until its last day. Raises NotFound, WrongState, ReferenceTaken."""
        ...

    async def decline_quote(self, quote_id: str, account_id: str, reference: str) -> Quote:
        """Sent to declined. Raises NotFound, WrongState, ReferenceTaken."""
        ...

    async def mark_quote_ordered(self, quote_id: str, account_id: str, order_id: str, reference: str) -> Quote:
        """Accepted to ordered, by one order only. Raises NotFound, WrongState, ReferenceTaken."""
        ...


class ServicePort(Protocol):
    """Cases and activities."""

    async def create_case(self, case: NewCase, reference: str) -> Case:
        """The case, open. Raises UnknownAccount, ReferenceTaken."""
        ...

    async def get_case(self, case_id: str) -> Case:
        """The case. Raises NotFound."""
        ...

    async def find_case_by_reference(self, reference: str) -> Case | None:
        """The case that a write under ``reference`` made or closed."""
        ...

    async def list_cases(
        self, *, account_ids: tuple[str, ...] | None, status: str | None, after: str | None, limit: int
    ) -> tuple[Case, ...]:
        """At most ``limit`` cases."""
        ...

    async def close_case(self, case_id: str, account_id: str, resolution: str, reference: str) -> Case:
        """The case, closed. Raises NotFound, WrongState (closed by another reference), ReferenceTaken."""
        ...

    async def create_activity(self, activity: NewActivity, reference: str) -> Activity:
        """The activity, noted. Raises UnknownAccount, ReferenceTaken."""
        ...

    async def find_activity_by_reference(self, reference: str) -> Activity | None:
        """The activity noted under ``reference``."""
        ...

    async def list_activities(
        self,
        *,
        account_ids: tuple[str, ...] | None,
        subject_id: str | None,
        kind: str | None,
        after: str | None,
        limit: int,
    ) -> tuple[Activity, ...]:
        """At most ``limit`` activities, oldest first."""
        ...


class CrmPort(AccountPort, PipelinePort, ServicePort, Protocol):
    """The whole of CRM."""

    async def list_changes(self, after: int, limit: int) -> Changes:
        """Up to ``limit`` changes above ``after``, each written with the change itself: accounts and quotes.

        A record that changed is among them before or as soon as its new state is read.
        """
        ...
