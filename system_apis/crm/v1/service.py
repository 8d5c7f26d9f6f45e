"""CRM v1 over a CRM's port; guarantees and failures are the connector's.

Every write is recorded in the CRM under the idempotency key of its call.
"""

from __future__ import annotations

from governance.call import current_call
from governance.contract import CursorCodec, Page
from system_apis.canonical.changes import Changes
from system_apis.canonical.entities import Account, AccountTree, Activity, Case, Contact, Opportunity, Quote
from system_apis.canonical.refusals import UnknownAccount
from system_apis.canonical.values import AccountId, RecordId
from system_apis.crm.port import CrmPort
from system_apis.crm.v1.contract import CrmV1
from system_apis.crm.v1.model import (
    AccountDetails,
    AccountStatus,
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
    QuoteOrder,
    QuoteRevision,
    QuoteStatus,
)

ACCOUNTS = "crm.v1.list_accounts"
CONTACTS = "crm.v1.list_contacts"
OPPORTUNITIES = "crm.v1.list_opportunities"
QUOTES = "crm.v1.list_quotes"
CASES = "crm.v1.list_cases"
ACTIVITIES = "crm.v1.list_activities"


class Crm(CrmV1):
    """The whole of CRM, one call of the port an operation."""

    def __init__(self, port: CrmPort, cursors: CursorCodec) -> None:
        self._port = port
        self._cursors = cursors

    async def get_account(self, account_id: AccountId) -> Account:
        """One customer account."""
        return await self._port.get_account(account_id)

    async def list_accounts(
        self,
        *,
        query: str | None = None,
        owner: str | None = None,
        parent_id: AccountId | None = None,
        status: AccountStatus | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Account]:
        """Accounts by name, sales person, parent or status, in the order of their numbers."""
        accounts = current_call().listed_accounts(None)
        filters = (accounts, query, owner, parent_id, status)
        after = self._after(ACCOUNTS, filters, cursor)
        rows = await self._port.list_accounts(
            account_ids=accounts,
            query=query,
            owner=owner,
            parent_id=parent_id,
            status=status,
            after=after,
            limit=limit + 1,
        )
        return self._cursors.page(ACCOUNTS, filters, rows, limit, lambda account: (account.account_id,))

    async def put_account(self, account_id: AccountId, account: AccountDetails) -> Account:
        """Make or replace an account."""
        seen = current_call().listed_accounts(None)
        if seen is not None and account.parent_id is not None and account.parent_id not in seen:
            raise UnknownAccount(account_id=account.parent_id)  # as for one that is not there
        return await self._port.put_account(account_id, account)

    async def get_subtree(self, account_id: AccountId) -> AccountTree:
        """The account and everything below it in the hierarchy."""
        return await self._port.get_subtree(account_id)

    async def create_contact(self, contact: NewContact) -> Contact:
        """Add a person to an account."""
        return await self._port.create_contact(contact, current_call().key)

    async def get_contact(self, contact_id: RecordId) -> Contact:
        """One person."""
        return await self._port.get_contact(contact_id)

    async def list_contacts(
        self, *, account_id: AccountId | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Contact]:
        """People, of one account or of all that the caller sees."""
        accounts = current_call().listed_accounts(account_id)
        filters = (accounts,)
        after = self._after(CONTACTS, filters, cursor)
        rows = await self._port.list_contacts(account_ids=accounts, after=after, limit=limit + 1)
        return self._cursors.page(CONTACTS, filters, rows, limit, lambda contact: (contact.contact_id,))

    async def create_opportunity(self, opportunity: NewOpportunity) -> Opportunity:
        """Note a sale that may come about."""
        return await self._port.create_opportunity(opportunity, current_call().key)

    async def get_opportunity(self, opportunity_id: RecordId) -> Opportunity:
        """One opportunity."""
        return await self._port.get_opportunity(opportunity_id)

    async def list_opportunities(
        self,
        *,
        account_id: AccountId | None = None,
        stage: OpportunityStage | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Opportunity]:
        """Opportunities by account or stage."""
        accounts = current_call().listed_accounts(account_id)
        filters = (accounts, stage)
        after = self._after(OPPORTUNITIES, filters, cursor)
        rows = await self._port.list_opportunities(account_ids=accounts, stage=stage, after=after, limit=limit + 1)
        return self._cursors.page(OPPORTUNITIES, filters, rows, limit, lambda found: (found.opportunity_id,))

    async def move_opportunity(self, opportunity_id: RecordId, move: OpportunityMove) -> Opportunity:
        """Move an opportunity to another stage."""
        return await self._port.move_opportunity(opportunity_id, move.account_id, move.stage, current_call().key)

    async def create_quote(self, quote: NewQuote) -> Quote:
        """Draw up an offer as a draft."""
        return await self._port.create_quote(quote, current_call().key)

    async def get_quote(self, quote_id: RecordId) -> Quote:
        """One quote."""
        return await self._port.get_quote(quote_id)

    async def list_quotes(
        self,
        *,
        account_id: AccountId | None = None,
        status: QuoteStatus | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Quote]:
        """Quotes by account or status."""
        accounts = current_call().listed_accounts(account_id)
        filters = (accounts, status)
        after = self._after(QUOTES, filters, cursor)
        rows = await self._port.list_quotes(account_ids=accounts, status=status, after=after, limit=limit + 1)
        return self._cursors.page(QUOTES, filters, rows, limit, lambda quote: (quote.quote_id,))

    async def revise_quote(self, quote_id: RecordId, revision: QuoteRevision) -> Quote:
        """Replace the lines of a quote that is not accepted yet."""
        return await self._port.revise_quote(quote_id, revision, current_call().key)

    async def send_quote(self, quote_id: RecordId, whose: ForAccount) -> Quote:
        """Send a draft to the customer."""
        return await self._port.send_quote(quote_id, whose.account_id, current_call().key)

    async def accept_quote(self, quote_id: RecordId, whose: ForAccount) -> Quote:
        """Note that the customer accepted."""
        return await self._port.accept_quote(quote_id, whose.account_id, current_call().key)

    async def decline_quote(self, quote_id: RecordId, whose: ForAccount) -> Quote:
        """Note that the customer declined."""
        return await self._port.decline_quote(quote_id, whose.account_id, current_call().key)

    async def mark_quote_ordered(self, quote_id: RecordId, ordered: QuoteOrder) -> Quote:
        """Tie an accepted quote to the order it became."""
        return await self._port.mark_quote_ordered(quote_id, ordered.account_id, ordered.order_id, current_call().key)

    async def create_case(self, case: NewCase) -> Case:
        """Open a case for an account."""
        return await self._port.create_case(case, current_call().key)

    async def get_case(self, case_id: RecordId) -> Case:
        """One case."""
        return await self._port.get_case(case_id)

    async def list_cases(
        self,
        *,
        account_id: AccountId | None = None,
        status: CaseStatus | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Case]:
        """Cases by account or status."""
        accounts = current_call().listed_accounts(account_id)
        filters = (accounts, status)
        after = self._after(CASES, filters, cursor)
        rows = await self._port.list_cases(account_ids=accounts, status=status, after=after, limit=limit + 1)
        return self._cursors.page(CASES, filters, rows, limit, lambda case: (case.case_id,))

    async def close_case(self, case_id: RecordId, closing: CaseClosing) -> Case:
        """Close a case and say how it was settled."""
        return await self._port.close_case(case_id, closing.account_id, closing.resolution, current_call().key)

    async def create_activity(self, activity: NewActivity) -> Activity:
        """Note something that happened with an account."""
        return await self._port.create_activity(activity, current_call().key)

    async def list_activities(
        self,
        *,
        account_id: AccountId | None = None,
        subject_id: str | None = None,
        kind: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Activity]:
        """Activities by account, subject or kind, oldest first."""
        accounts = current_call().listed_accounts(account_id)
        filters = (accounts, subject_id, kind)
        after = self._after(ACTIVITIES, filters, cursor)
        rows = await self._port.list_activities(
            account_ids=accounts, subject_id=subject_id, kind=kind, after=after, limit=limit + 1
        )
        return self._cursors.page(ACTIVITIES, filters, rows, limit, lambda activity: (activity.activity_id,))

    def _after(self, operation_id: str, filters: tuple[object, ...], cursor: str | None) -> str | None:
        last = self._cursors.decode(operation_id, filters, cursor)
        return None if last is None else str(last[0])

    async def list_changes(self, *, after: int = 0, limit: int = 100) -> Changes:
        """What changed after a position."""
        return await self._port.list_changes(after, limit)
