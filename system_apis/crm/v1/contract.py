"""CRM v1: what process APIs may ask of any CRM."""

from __future__ import annotations

from typing import Protocol

from governance.contract import Contract, Cursor, Limit, Page, action, by, create, read, replace, search
from system_apis.canonical.changes import NAMES_RECORDS as CHANGES_NAME_RECORDS
from system_apis.canonical.changes import ChangeLimit, ChangePosition, Changes
from system_apis.canonical.entities import Account, AccountTree, Activity, Case, Contact, Opportunity, Quote
from system_apis.canonical.refusals import CurrencyMismatch, HierarchyLoop, ReferenceTaken, UnknownAccount, WrongState
from system_apis.canonical.values import AccountId, Name, RecordId
from system_apis.crm.v1.model import (
    AccountDetails,
    AccountStatus,
    ActivityKind,
    CaseClosing,
    CaseStatus,
    ForAccount,
    NewActivity,
    NewCase,
    NewContact,
    NewOpportunity,
    NewQuote,
    OpportunityMove,
    OpportunityStage,
    OrderId,
    QuoteOrder,
    QuoteRevision,
    QuoteStatus,
    SearchText,
)


class CrmV1(Contract, Protocol, owner="Sales systems"):
    """Accounts with hierarchy and owner, contacts, opportunities, quotes, cases and activities of the CRM."""

    @read("/accounts/{account_id}", scope="crm.accounts:read", visible=by("account_id"))
    async def get_account(self, account_id: AccountId) -> Account:
        """One customer account."""
        ...

    @search("/accounts", scope="crm.accounts:read", visible=by("account_id"))
    async def list_accounts(
        self,
        *,
        query: SearchText | None = None,
        owner: Name | None = None,
        parent_id: AccountId | None = None,
        status: AccountStatus | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Account]:
        """Accounts by name, sales person, parent or status, in the order of their numbers."""
        ...

    @replace(
        "/accounts/{account_id}",
        scope="crm.accounts:write",
        raises=[UnknownAccount, HierarchyLoop],
        upsert=True,
        visible=by("account_id"),
    )
    async def put_account(self, account_id: AccountId, account: AccountDetails) -> Account:
        """Make or replace an account.

        The parent must exist, and must not stand below the account itself.
        """
        ...

    @read("/accounts/{account_id}/subtree", scope="crm.accounts:read", visible=by("account_id"))
    async def get_subtree(self, account_id: AccountId) -> AccountTree:
        """The account and everything below it in the hierarchy."""
        ...

    @create(
        "/contacts",
        scope="crm.contacts:write",
        raises=[UnknownAccount, ReferenceTaken],
        visible=by("account_id"),
        location="/contacts/{contact_id}",
    )
    async def create_contact(self, contact: NewContact) -> Contact:
        """Add a person to an account."""
        ...

    @read("/contacts/{contact_id}", scope="crm.contacts:read", visible=by("account_id"))
    async def get_contact(self, contact_id: RecordId) -> Contact:
        """One person."""
        ...

    @search("/contacts", scope="crm.contacts:read", visible=by("account_id"))
    async def list_contacts(
        self, *, account_id: AccountId | None = None, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[Contact]:
        """People, of one account or of all that the caller sees."""
        ...

    @create(
        "/opportunities",
        scope="crm.opportunities:write",
        raises=[UnknownAccount, ReferenceTaken],
        visible=by("account_id"),
        location="/opportunities/{opportunity_id}",
    )
    async def create_opportunity(self, opportunity: NewOpportunity) -> Opportunity:
        """Note a sale that may come about."""
        ...

    @read("/opportunities/{opportunity_id}", scope="crm.opportunities:read", visible=by("account_id"))
    async def get_opportunity(self, opportunity_id: RecordId) -> Opportunity:
        """One opportunity."""
        ...

    @search("/opportunities", scope="crm.opportunities:read", visible=by("account_id"))
    async def list_opportunities(
        self,
        *,
        account_id: AccountId | None = None,
        stage: OpportunityStage | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Opportunity]:
        """Opportunities by account or stage."""
        ...

    @action(
        "/opportunities/{opportunity_id}/move",
        scope="crm.opportunities:write",
        raises=[WrongState, ReferenceTaken],
        visible=by("account_id"),
    )
    async def move_opportunity(self, opportunity_id: RecordId, move: OpportunityMove) -> Opportunity:
        """Move an opportunity to another stage; won and lost are final."""
        ...

    @create(
        "/quotes",
        scope="crm.quotes:write",
        raises=[UnknownAccount, CurrencyMismatch, ReferenceTaken],
        visible=by("account_id"),
        location="/quotes/{quote_id}",
    )
    async def create_quote(self, quote: NewQuote) -> Quote:
        """Draw up an offer as a draft.

        CRM works out each line's net and the sum; all lines are in one currency.
        """
        ...

    @read("/quotes/{quote_id}", scope="crm.quotes:read", visible=by("account_id"))
    async def get_quote(self, quote_id: RecordId) -> Quote:
        """One quote; a draft or sent one reads ``expired`` after its last day."""
        ...

    @search("/quotes", scope="crm.quotes:read", visible=by("account_id"))
    async def list_quotes(
        self,
        *,
        account_id: AccountId | None = None,
        status: QuoteStatus | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Quote]:
        """Quotes by account or status."""
        ...

    @action(
        "/quotes/{quote_id}/revise",
        scope="crm.quotes:write",
        raises=[WrongState, CurrencyMismatch, ReferenceTaken],
        visible=by("account_id"),
    )
    async def revise_quote(self, quote_id: RecordId, revision: QuoteRevision) -> Quote:
        """Replace the lines of a draft, sent or expired quote; it is a draft again, one revision on."""
        ...

    @action(
        "/quotes/{quote_id}/send",
        scope="crm.quotes:write",
        raises=[WrongState, ReferenceTaken],
        visible=by("account_id"),
    )
    async def send_quote(self, quote_id: RecordId, whose: ForAccount) -> Quote:
        """Send a draft to the customer."""
        ...

    @action(
        "/quotes/{quote_id}/accept",
        scope="crm.quotes:write",
        raises=[WrongState, ReferenceTaken],
        visible=by("account_id"),
    )
    async def accept_quote(self, quote_id: RecordId, whose: ForAccount) -> Quote:
        """Note that the customer accepted; possible until the quote's last day."""
        ...

    @action(
        "/quotes/{quote_id}/decline",
        scope="crm.quotes:write",
        raises=[WrongState, ReferenceTaken],
        visible=by("account_id"),
    )
    async def decline_quote(self, quote_id: RecordId, whose: ForAccount) -> Quote:
        """Note that the customer declined."""
        ...

    @action(
        "/quotes/{quote_id}/mark-ordered",
        scope="crm.quotes:write",
        raises=[WrongState, ReferenceTaken],
        visible=by("account_id"),
    )
    async def mark_quote_ordered(self, quote_id: RecordId, ordered: QuoteOrder) -> Quote:
        """Tie an accepted quote to the order it became; one quote becomes one order."""
        ...

    @create(
        "/cases",
        scope="crm.cases:write",
        raises=[UnknownAccount, ReferenceTaken],
        visible=by("account_id"),
        location="/cases/{case_id}",
    )
    async def create_case(self, case: NewCase) -> Case:
        """Open a case for an account."""
        ...

    @read("/cases/{case_id}", scope="crm.cases:read", visible=by("account_id"))
    async def get_case(self, case_id: RecordId) -> Case:
        """One case."""
        ...

    @search("/cases", scope="crm.cases:read", visible=by("account_id"))
    async def list_cases(
        self,
        *,
        account_id: AccountId | None = None,
        status: CaseStatus | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Case]:
        """Cases by account or status."""
        ...

    @action(
        "/cases/{case_id}/close", scope="crm.cases:write", raises=[WrongState, ReferenceTaken], visible=by("account_id")
    )
    async def close_case(self, case_id: RecordId, closing: CaseClosing) -> Case:
        """Close a case and say how it was settled."""
        ...

    @create(
        "/activities", scope="crm.activities:write", raises=[UnknownAccount, ReferenceTaken], visible=by("account_id")
    )
    async def create_activity(self, activity: NewActivity) -> Activity:
        """Note something that happened with an account, such as an order that completed."""
        ...

    @search("/activities", scope="crm.activities:read", visible=by("account_id"))
    async def list_activities(
        self,
        *,
        account_id: AccountId | None = None,
        subject_id: OrderId | None = None,
        kind: ActivityKind | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Activity]:
        """Activities by account, subject or kind, oldest first."""
        ...

    @read("/changes", scope="crm.changes:read", public_because=CHANGES_NAME_RECORDS)
    async def list_changes(self, *, after: ChangePosition = 0, limit: ChangeLimit = 100) -> Changes:
        """What changed after a position: accounts and quotes."""
        ...
