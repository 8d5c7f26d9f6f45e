"""A company's own APIs over Tiergate: the signatures that mypy and pyright must see through every binding."""

from __future__ import annotations

from typing import Annotated, Protocol

from msgspec import Meta, Struct

from governance.contract import Contract, Page, Refusal, by, create, read, search
from system_apis.canonical.values import AccountId

LoanId = Annotated[str, Meta(pattern=r"^L-[0-9]{1,9}$")]


class AllLent(Refusal, status=409, type="all-lent", title="Every copy is lent."):
    """No copy is left."""

    back_in_days: int


class Loan(Struct, frozen=True, kw_only=True):
    """One copy, lent to an account."""

    loan_id: LoanId
    account_id: AccountId
    days: int


class NewLoan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an account asks for."""

    account_id: AccountId
    days: Annotated[int, Meta(ge=1, le=90)] = 14


class LendingV1(Contract, Protocol, owner="Consumer", folder="system_apis.lending.v1"):
    """Loans of the company's library."""

    @read("/loans/{loan_id}", scope="lending.loans:read", visible=by("account_id"))
    async def get_loan(self, loan_id: LoanId) -> Loan:
        """One loan."""
        ...

    @search("/loans", scope="lending.loans:read", visible=by("account_id"))
    async def list_loans(self, *, account_id: AccountId) -> Page[Loan]:
        """An account's loans."""
        ...

    @create(
        "/loans", scope="lending.loans:write", raises=[AllLent], visible=by("account_id"), location="/loans/{loan_id}"
    )
    async def post_loan(self, loan: NewLoan) -> Loan:
        """Lend a copy."""
        ...


class Reminder(Struct, frozen=True, kw_only=True):
    """What an account is told."""

    text: str
    days: int


class RemindersV1(Contract, Protocol, owner="Consumer", folder="process_apis.reminders.v1"):
    """Reminders of loans that end."""

    @read("/reminders/{loan_id}", scope="reminders.reminders:read", public_because="A sample.")
    async def get_reminder(self, loan_id: LoanId) -> Reminder:
        """The reminder of one loan."""
        ...
