"""Services of those contracts: what is injected is the contract's type, whichever binding stands behind it."""

from __future__ import annotations

from typing import assert_type

from governance.call import Clock, current_call
from governance.contract import NotFound, Page, operation_of
from governance.contract.operation import Operation
from tests.consumer.loans import AllLent, LendingV1, Loan, NewLoan, Reminder, RemindersV1


class Lending(LendingV1):
    """The system of record, in a dictionary."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._loans: dict[str, Loan] = {}

    async def get_loan(self, loan_id: str) -> Loan:
        try:
            return self._loans[loan_id]
        except KeyError:
            raise NotFound() from None

    async def list_loans(self, *, account_id: str) -> Page[Loan]:
        items = tuple(loan for loan in self._loans.values() if loan.account_id == account_id)
        return Page(items=items, next_cursor=None)

    async def post_loan(self, loan: NewLoan) -> Loan:
        if len(self._loans) == 3:
            raise AllLent(back_in_days=7)
        key = assert_type(current_call().idempotency_key, str | None)
        made = Loan(loan_id=f"L-{len(self._loans) + 1}", account_id=loan.account_id, days=loan.days)
        self._loans[key or made.loan_id] = made
        return made


class Reminders(RemindersV1):
    """Calls the system API through whatever is injected for its contract."""

    needs = (LendingV1.get_loan, LendingV1.list_loans, LendingV1.post_loan)

    def __init__(self, lending: LendingV1) -> None:
        self._lending = lending

    async def get_reminder(self, loan_id: str) -> Reminder:
        loan = assert_type(await self._lending.get_loan(loan_id), Loan)
        try:
            assert_type(await self._lending.post_loan(NewLoan(account_id=loan.account_id)), Loan)
        except AllLent as refusal:
            return Reminder(text=refusal.title, days=assert_type(refusal.back_in_days, int))
        page = assert_type(await self._lending.list_loans(account_id=loan.account_id), Page[Loan])
        days = sum(one.days for one in assert_type(page.items, tuple[Loan, ...]))
        return Reminder(text=f"{loan.days} days are left.", days=days)


OPERATION: Operation = operation_of(LendingV1.get_loan)
