"""What a contract declares, read back from its class."""

from __future__ import annotations

from typing import Annotated, Protocol

import pytest
from msgspec import Meta, Struct

from governance.contract import (
    Contract,
    ContractError,
    Cursor,
    Limit,
    NotFound,
    Page,
    Refusal,
    action,
    amend,
    api_of,
    by,
    create,
    operation_of,
    read,
    remove,
    replace,
    search,
)

BookId = Annotated[str, Meta(pattern="^[a-z]+$")]


class Torn(Refusal, status=409, type="torn", title="The book is torn."):
    """It has to be mended first."""


class Book(Struct, frozen=True, kw_only=True):
    book_id: BookId
    reader_id: str
    pages: Annotated[int, Meta(ge=1, le=10_000)]


class LibraryV2(Contract, Protocol, owner="Reading room", lifecycle="preview", folder="process_apis.old_library.v2"):
    """Books and who has them.

    Kept by hand before.
    """

    @read("/books/{book_id}", scope="library.books:read", raises=[Torn], public_because="Books are nobody's.")
    async def get_book(self, book_id: BookId) -> Book:
        """A book.

        With its reader.
        """
        ...

    @search("/books", scope="library.books:read", visible=by("reader_id"))
    async def list_books(
        self, *, title: str | None = None, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[Book]:
        """Books."""
        ...

    @create("/books", scope="library.books:write", visible=by("reader_id"), location="/books/{book_id}")
    async def post_book(self, book: Book) -> Book:
        """A new book."""
        ...

    @create("/loans", scope="library.loans:write", visible=by("reader_id"), accepted=True, limit="5/s", cost=3)
    async def lend(self, book: Book) -> Book:
        """Lend."""
        ...

    @replace("/books/{book_id}", scope="library.books:write", visible=by("reader_id"))
    async def put_book(self, book_id: BookId, book: Book) -> Book:
        """Put."""
        ...

    @replace("/shelves/{book_id}", scope="library.books:write", visible=by("reader_id"), upsert=True)
    async def put_shelf(self, book_id: BookId, book: Book) -> Book:
        """Put on a shelf."""
        ...

    @amend("/books/{book_id}", scope="library.books:write", visible=by("reader_id"))
    async def amend_book(self, book_id: BookId, book: Book) -> Book:
        """Amend."""
        ...

    @remove("/books/{book_id}", scope="library.books:write", public_because="Sample.")
    async def remove_book(self, book_id: BookId) -> None:
        """Remove."""
        ...

    @action(
        "/books/{book_id}/count",
        scope="library.books:read",
        public_because="Sample.",
        idempotent_because="Only counts.",
    )
    async def count_pages(self, book_id: BookId) -> Book:
        """Count."""
        ...


def test_tier_name_and_version_come_from_the_folder() -> None:
    api = api_of(LibraryV2)
    assert (api.tier, api.name, api.version) == ("process", "old_library", 2)
    assert (api.id, api.slug, api.prefix) == ("old_library.v2", "old-library", "/process/old-library/v2")


def test_the_class_line_and_its_docstring_are_kept() -> None:
    api = api_of(LibraryV2)
    assert (api.owner, api.lifecycle.stage) == ("Reading room", "preview")
    assert (api.summary, api.description) == ("Books and who has them.", "Kept by hand before.")


def test_an_operation_knows_its_place() -> None:
    operation = operation_of(LibraryV2.get_book)
    assert operation.id == "old_library.v2.get_book"
    assert (operation.method, operation.path) == ("GET", "/process/old-library/v2/books/{book_id}")
    assert (operation.summary, operation.description) == ("A book.", "With its reader.")
    assert operation.safe
    assert not operation.keyed


@pytest.mark.parametrize(
    ("name", "method", "status", "keyed", "conditional"),
    [
        ("get_book", "GET", 200, False, False),
        ("list_books", "GET", 200, False, False),
        ("post_book", "POST", 201, True, False),
        ("lend", "POST", 202, True, False),
        ("put_book", "PUT", 200, False, True),
        ("put_shelf", "PUT", 200, False, False),
        ("amend_book", "PATCH", 200, False, True),
        ("remove_book", "DELETE", 204, False, False),
        ("count_pages", "POST", 200, False, False),
    ],
)
def test_each_decorator_brings_its_method_status_and_demands(
    name: str, method: str, status: int, keyed: bool, conditional: bool
) -> None:
    operation = operation_of(getattr(LibraryV2, name))
    assert (operation.method, operation.success_status) == (method, status)
    assert (operation.keyed, operation.conditional) == (keyed, conditional)


def test_what_a_decorator_is_told_is_kept() -> None:
    assert operation_of(LibraryV2.lend).limit == "5/s"
    assert (operation_of(LibraryV2.lend).cost, operation_of(LibraryV2.get_book).cost) == (3, 1)
    assert operation_of(LibraryV2.count_pages).unkeyed_because == "Only counts."
    assert operation_of(LibraryV2.post_book).location == "/process/old-library/v2/books/{book_id}"


def test_parameters_are_sorted_into_path_query_and_body() -> None:
    put = operation_of(LibraryV2.put_book)
    assert [(one.name, one.where, one.required) for one in put.parameters] == [
        ("book_id", "path", True),
        ("book", "body", True),
    ]
    assert put.body is put.parameters[1]
    listing = operation_of(LibraryV2.list_books)
    assert [(one.name, one.where, one.required) for one in listing.parameters] == [
        ("title", "query", False),
        ("limit", "query", False),
        ("cursor", "query", False),
    ]
    assert listing.parameters[1].default == 50


def test_not_found_is_raised_wherever_a_record_may_be_missing() -> None:
    assert operation_of(LibraryV2.get_book).raises == (Torn, NotFound)
    assert operation_of(LibraryV2.list_books).raises == (NotFound,)


def test_a_service_inherits_the_api_and_must_implement_all_of_it() -> None:
    class Half(LibraryV2):
        async def get_book(self, book_id: BookId) -> Book:
            return Book(book_id=book_id, reader_id="r", pages=1)

    assert api_of(Half) is api_of(LibraryV2)
    with pytest.raises(TypeError, match="abstract"):
        Half()  # type: ignore[abstract]  # what is tested


def test_an_operation_is_one_object() -> None:
    assert operation_of(LibraryV2.get_book) in api_of(LibraryV2).operations


def test_a_method_that_is_no_operation_is_refused() -> None:
    with pytest.raises(TypeError, match="is not an operation: name a decorated method"):
        operation_of(test_an_operation_is_one_object)


def test_a_class_that_is_no_contract_is_refused() -> None:
    with pytest.raises(ContractError, match="Book is not a contract"):
        api_of(Book)
