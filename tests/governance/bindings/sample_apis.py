"""A small world for binding tests: a library's shelves (system), loans (process) and a counter (experience)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct

from governance.call import AccountRequired, current_call
from governance.contract import (
    Contract,
    Cursor,
    CursorCodec,
    Limit,
    NotFound,
    Page,
    Refusal,
    action,
    amend,
    api_of,
    by,
    create,
    read,
    remove,
    replace,
    search,
)
from governance.contract.discovery import DiscoveredApi
from governance.contract.refusals import PreconditionFailed, SystemUnavailable

BookId = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,20}$")]
Copies = Annotated[int, Meta(ge=0, le=100)]


class BookLent(Refusal, status=409, type="book-lent", title="Somebody has it."):
    """The book is out."""

    book_id: str
    back_on: date


class Undeclared(Refusal, status=409, type="undeclared", title="In no contract."):
    """A refusal that no contract lists."""


class Book(Struct, frozen=True, kw_only=True):
    """A book on a shelf."""

    book_id: BookId
    title: str
    copies: Copies
    account_id: str
    revision: Annotated[int, Meta(ge=1, le=10**9)] = 1


class NewBook(Struct, frozen=True, kw_only=True):
    """A book to be put on a shelf."""

    title: Annotated[str, Meta(min_length=1, max_length=100)]
    copies: Copies
    account_id: str
    tags: tuple[str, ...] = ()


class Word(Struct, frozen=True, kw_only=True):
    """Any text at all."""

    word: str


class ShelvesV1(Contract, Protocol, owner="Stacks", folder="system_apis.shelves.v1"):
    """The shelves."""

    @read("/books/{book_id}", scope="shelves.books:read", visible=by("account_id"))
    async def get_book(self, book_id: BookId, *, loud: bool = False) -> Book:
        """One book."""
        ...

    @search("/books", scope="shelves.books:read", visible=by("account_id"))
    async def list_books(
        self,
        *,
        account_id: str,
        bound_after: date | None = None,
        cover: Literal["hard", "soft"] | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Book]:
        """Books."""
        ...

    @create(
        "/books",
        scope="shelves.books:write",
        raises=[BookLent],
        visible=by("account_id"),
        location="/books/{book_id}",
    )
    async def add_book(self, book: NewBook) -> Book:
        """Put a book on the shelf."""
        ...

    @amend("/books/{book_id}", scope="shelves.books:write", visible=by("account_id"))
    async def amend_book(self, book_id: BookId, book: NewBook) -> Book:
        """Change a book."""
        ...

    @replace("/books/{book_id}", upsert=True, scope="shelves.books:write", visible=by("account_id"))
    async def put_book(self, book_id: BookId, book: NewBook) -> Book:
        """Put exactly this book there."""
        ...

    @remove("/books/{book_id}", scope="shelves.books:write", public_because="Anybody may tidy up.")
    async def remove_book(self, book_id: BookId) -> None:
        """Take a book away."""
        ...

    @action(
        "/books/{book_id}/bind", accepted=True, scope="shelves.books:write", raises=[BookLent], visible=by("account_id")
    )
    async def bind_book(self, book_id: BookId) -> Book:
        """Send a book to the binder."""
        ...

    @read("/words/{word}", scope="shelves.words:read", public_because="Words are free.")
    async def get_word(self, word: str, *, ending: str = "") -> Word:
        """A word."""
        ...

    @create(
        "/words",
        scope="shelves.words:write",
        public_because="Words are free.",
        idempotent_because="Saying it twice changes nothing.",
        location="/words/{word}",
    )
    async def say_word(self, word: Word) -> Word:
        """Say a word."""
        ...


class LoansV1(Contract, Protocol, owner="Counter", folder="process_apis.loans.v1"):
    """Loans of books."""

    @action("/books/{book_id}/lend", scope="loans.books:write", raises=[BookLent], visible=by("account_id"))
    async def lend(self, book_id: BookId) -> Book:
        """Lend a book."""
        ...

    @read("/books/{book_id}", scope="loans.books:read", raises=[BookLent], visible=by("account_id"))
    async def look_up(self, book_id: BookId) -> Book:
        """Look a book up."""
        ...


class CounterV1(Contract, Protocol, owner="Front desk", folder="experience_apis.counter.v1"):
    """What readers see."""

    @read("/books/{book_id}", scope="counter.books:read", raises=[BookLent], visible=by("account_id"))
    async def show(self, book_id: BookId) -> Book:
        """Show a book."""
        ...

    @create("/loans", scope="counter.loans:write", raises=[BookLent], visible=by("account_id"))
    async def borrow(self, loan: NewBook) -> Book:
        """Borrow by title."""
        ...


class Shelves(ShelvesV1):
    """The system API: remembers keys and answers by book id."""

    def __init__(self, cursors: CursorCodec) -> None:
        self._cursors = cursors
        self.keys: list[str] = []
        self.seen_accounts: list[str] = []
        self.removed: list[str] = []
        self.binding = asyncio.Event()
        self.bound = asyncio.Event()
        self.elsewhere: dict[str, Callable[[], Awaitable[Book]]] = {"retried": _retried}
        """Books that are not on the shelves, and who has them."""

    async def get_book(self, book_id: BookId, *, loud: bool = False) -> Book:
        self.seen_accounts.append(",".join(current_call().on_behalf_of.accounts.ids))
        if book_id in self.elsewhere:
            return await self.elsewhere[book_id]()
        match book_id:
            case "missing":
                raise NotFound
            case "bug":
                raise KeyError("secret-detail")
            case "away":
                raise SystemUnavailable(detail="The cellar is locked.", retry_after_s=29.5)
            case "no-account":
                raise AccountRequired(detail="Use a card.")
            case "slow":
                await asyncio.sleep(1)
            case "deadline":
                return Book(book_id="d", title=str(current_call().deadline is not None), copies=1, account_id="A")
            case "undeclared":
                raise Undeclared
            case "bad-result":
                return Book(book_id="B A D", title="x", copies=1, account_id="A")
        return Book(book_id=book_id, title="LOUD" if loud else "quiet", copies=1, account_id="A", revision=3)

    async def list_books(
        self,
        *,
        account_id: str,
        bound_after: date | None = None,
        cover: Literal["hard", "soft"] | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Book]:
        after = self._cursors.decode("shelves.v1.list_books", (account_id,), cursor)
        first = int(after[0]) + 1 if after else 0
        books = [
            Book(book_id=str(n), title="t", copies=1, account_id=account_id) for n in range(first, first + limit + 1)
        ]
        return self._cursors.page(
            "shelves.v1.list_books", (account_id,), books, limit, lambda book: (int(book.book_id),)
        )

    async def add_book(self, book: NewBook) -> Book:
        self.keys.append(current_call().key)
        if book.title == "lent":
            raise BookLent(book_id="lent", back_on=date(2026, 5, 1), detail="Back in May.")
        return Book(book_id=f"b-{len(self.keys)}", title=book.title, copies=book.copies, account_id=book.account_id)

    async def amend_book(self, book_id: BookId, book: NewBook) -> Book:
        if current_call().if_match != "3":
            raise PreconditionFailed
        return Book(book_id=book_id, title=book.title, copies=book.copies, account_id=book.account_id, revision=4)

    async def put_book(self, book_id: BookId, book: NewBook) -> Book:
        return Book(book_id=book_id, title=book.title, copies=book.copies, account_id=book.account_id, revision=1)

    async def remove_book(self, book_id: BookId) -> None:
        self.removed.append(book_id)

    async def bind_book(self, book_id: BookId) -> Book:
        if book_id == "lent":
            raise BookLent(book_id=book_id, back_on=date(2026, 5, 1), detail="Back in May.")
        self.keys.append(current_call().key)
        if book_id == "slow":
            self.binding.set()
            await self.bound.wait()
            self.removed.append(book_id)
        return Book(book_id=book_id, title="bound", copies=1, account_id="A")

    async def get_word(self, word: str, *, ending: str = "") -> Word:
        return Word(word=word + ending)

    async def say_word(self, word: Word) -> Word:
        return word


async def _retried() -> Book:
    """A book whose title says what was granted of two retries."""
    allowance = current_call().allowance
    taken = None if allowance is None else [allowance.take(), allowance.take()]
    return Book(book_id="retried", title=str(taken), copies=1, account_id="A")


class Loans(LoansV1):
    """The process API."""

    needs = (ShelvesV1.get_book, ShelvesV1.add_book)

    def __init__(self, shelves: ShelvesV1) -> None:
        self._shelves = shelves

    async def lend(self, book_id: BookId) -> Book:
        one = NewBook(title=book_id, copies=1, account_id="A")
        await self._shelves.add_book(one)
        return await self._shelves.add_book(one)

    async def look_up(self, book_id: BookId) -> Book:
        return await self._shelves.get_book(book_id, loud=True)


class Counter(CounterV1):
    """The experience API."""

    needs = (LoansV1.look_up, LoansV1.lend)

    def __init__(self, loans: LoansV1) -> None:
        self._loans = loans

    async def show(self, book_id: BookId) -> Book:
        return await self._loans.look_up(book_id)

    async def borrow(self, loan: NewBook) -> Book:
        return await self._loans.lend(loan.title)


APIS = tuple(
    DiscoveredApi(api=api_of(service), service=service, folder=Path()) for service in (Shelves, Loans, Counter)
)
