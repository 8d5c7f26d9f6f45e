"""A caller can't tell which binding it holds: results, refusals, keys and logs are the same in all four."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import date
from typing import Any, cast

import pytest

from governance.bindings.local import Mode
from governance.bindings.remote import HopClient
from governance.call import AccountRequired, ManualClock, SystemClock
from governance.contract import NotFound, Page, Problem
from governance.contract.refusals import DeadlineExceeded, InternalError, InvalidParameters, SystemUnavailable
from tests.governance.bindings.real_server import RealServer
from tests.governance.bindings.sample_apis import Book, BookLent, NewBook, Shelves, Word
from tests.governance.bindings.sample_gateway import (
    InProcessClient,
    apart,
    assemble,
    calling,
    edge_of,
    shelves_of,
    shelves_stub,
)

pytestmark = pytest.mark.anyio
LENT = NewBook(title="lent", copies=1, account_id="A")
FREE = NewBook(title="free", copies=1, account_id="A", tags=("x", "ü"))


class World:
    """The shelves as their caller holds them in one binding, and the service behind."""

    def __init__(self, stub: Any, shelves: Shelves) -> None:
        self.stub = stub
        self.shelves = shelves
        self.shelves.keys.clear()
        self.shelves.removed.clear()


@pytest.fixture(params=["direct", "verify", "served", "remote"])
async def world(request: pytest.FixtureRequest, anyio_backend: str) -> AsyncIterator[World]:
    if request.param in ("direct", "verify"):
        assembly = assemble(mode=cast("Mode", request.param))
        yield World(shelves_stub(assembly), shelves_of(assembly))
    elif request.param == "served":
        below = assemble()
        client: HopClient = InProcessClient(edge_of(below))
        above = apart(client, "http://in-process", clock=ManualClock())
        yield World(shelves_stub(above), shelves_of(below))
    else:
        server: RealServer = request.getfixturevalue("real_server")
        client = HopClient()
        await client.start()
        yield World(shelves_stub(apart(client, server.url)), server.shelves)
        await client.stop()


async def test_results_are_equal(world: World) -> None:
    with calling():
        assert await world.stub.get_book("b1") == Book(
            book_id="b1", title="quiet", copies=1, account_id="A", revision=3
        )
        assert (await world.stub.get_book("b1", loud=True)).title == "LOUD"
        assert (await world.stub.get_book(book_id="b1", loud=False)).title == "quiet"
        assert (await world.stub.add_book(FREE)).title == "free"
        assert (await world.stub.put_book("b2", FREE)).book_id == "b2"
        assert (await world.stub.bind_book("b3")).title == "bound"
        assert await world.stub.remove_book("b4") is None
    assert world.shelves.removed == ["b4"]


async def test_pages_and_optional_parameters_are_equal(world: World) -> None:
    with calling():
        first = await world.stub.list_books(account_id="A & Söhne", limit=2, bound_after=date(2026, 1, 1), cover="hard")
        assert isinstance(first, Page)
        assert [book.account_id for book in first.items] == ["A & Söhne"] * 2
        second = await world.stub.list_books(account_id="A & Söhne", limit=2, cursor=first.next_cursor)
    assert [book.book_id for book in second.items] == ["2", "3"]


@pytest.mark.parametrize(
    "word", ["a/b", "ü", "a b+c", "%2F", "?x=1", "#", "a;b", ":", "...", "\r\n", "a\\b", "'\"<>", "~", "&=", "日本"]
)
async def test_any_text_travels_in_path_and_query(world: World, word: str) -> None:
    with calling():
        assert await world.stub.get_word(word) == Word(word=word)
        assert await world.stub.get_word("x", ending=word) == Word(word="x" + word)


@pytest.mark.parametrize("word", [".", ".."])
async def test_dot_segments_are_no_values(world: World, word: str) -> None:
    with calling(), pytest.raises(InvalidParameters) as caught:
        await world.stub.get_word(word)
    assert caught.value.violations[0].parameter == "word"


async def test_typed_refusals_are_equal(world: World) -> None:
    with calling(), pytest.raises(BookLent) as caught:
        await world.stub.add_book(LENT)
    assert (caught.value.book_id, caught.value.back_on) == ("lent", date(2026, 5, 1))
    assert caught.value.detail == "Back in May."


@pytest.mark.parametrize(
    ("book_id", "refusal", "detail"),
    [
        ("missing", NotFound, ""),
        ("away", SystemUnavailable, "The cellar is locked."),
        ("no-account", AccountRequired, "Use a card."),
    ],
)
async def test_what_any_operation_may_answer_is_equal(
    world: World, book_id: str, refusal: type[Problem], detail: str
) -> None:
    with calling(), pytest.raises(refusal) as caught:
        await world.stub.get_book(book_id)
    assert (type(caught.value), caught.value.detail) == (refusal, detail)


async def test_when_a_system_is_back_is_told(world: World) -> None:
    with calling(), pytest.raises(SystemUnavailable) as caught:
        await world.stub.get_book("away")
    assert caught.value.retry_after_s in (29.5, 30)  # whole seconds on the wire


async def test_a_cursor_of_another_list_is_the_callers_to_explain(world: World) -> None:
    with calling(), pytest.raises(InvalidParameters) as caught:
        await world.stub.list_books(account_id="A", cursor="AAAA")
    assert [violation.parameter for violation in caught.value.violations] == ["cursor"]


@pytest.mark.expects_unexpected
@pytest.mark.parametrize("book_id", ["bug", "undeclared"])
async def test_bugs_and_undeclared_refusals_are_internal_errors_and_logged(
    world: World, unexpected: list[logging.LogRecord], book_id: str
) -> None:
    with calling(), pytest.raises(InternalError) as caught:
        await world.stub.get_book(book_id)
    assert caught.value.detail == ""
    (record,) = unexpected
    assert "shelves.v1.get_book" in record.getMessage()
    assert "r-1" in record.getMessage()


@pytest.mark.expects_unexpected
@pytest.mark.parametrize(
    ("operation", "arguments", "named"),
    [
        ("get_book", ("UPPER CASE",), {}),
        ("get_book", (7,), {}),
        ("list_books", (), {"account_id": "A", "limit": 201}),
        ("list_books", (), {"account_id": "A", "cover": "paper"}),
        ("list_books", (), {"account_id": "A", "cursor": "no cursor"}),
        ("add_book", (NewBook(title="", copies=1, account_id="A"),), {}),
        ("add_book", (NewBook(title="t", copies=101, account_id="A"),), {}),
    ],
)
async def test_arguments_that_break_their_types_are_the_callers_bug(
    world: World, unexpected: list[logging.LogRecord], operation: str, arguments: tuple[Any, ...], named: dict[str, Any]
) -> None:
    with calling(), pytest.raises(InternalError):
        await getattr(world.stub, operation)(*arguments, **named)
    assert [record.getMessage().partition(":")[0] for record in unexpected] == [f"shelves.v1.{operation}"]
    assert world.shelves.keys == []


@pytest.mark.parametrize(
    ("arguments", "named", "sentence"),
    [
        ((), {}, "argument book_id is missing"),
        (("a", True, "c"), {}, "takes 2 arguments, 3 were given"),
        (("a",), {"book_id": "a"}, "argument book_id is given twice"),
        (("a",), {"volume": 1}, "argument volume is unknown"),
    ],
)
async def test_wrong_calls_fail_as_plain_calls_do(
    world: World, arguments: tuple[Any, ...], named: dict[str, Any], sentence: str
) -> None:
    with calling(), pytest.raises(TypeError, match=sentence):
        await world.stub.get_book(*arguments, **named)


async def test_derived_keys_are_the_same_letters(world: World) -> None:
    with calling("parent-key"):
        await world.stub.add_book(FREE)
        await world.stub.bind_book("b1")
        with pytest.raises(BookLent):
            await world.stub.add_book(LENT)
        await world.stub.get_book("b1")
        await world.stub.add_book(FREE)
    with calling("parent-key") as call:
        call.step, call.revision = "reserve", 2
        await world.stub.add_book(FREE)
    assert world.shelves.keys == [
        "KIICTRQ3N7JQ2HUNX7AFO4RIPS",
        "NPITF5Z6T3OXELNT2REBDEG6RR",
        "XZGWKGJCARSO56BMN226WUUCBB",
        "3R2NOFWP3XJWC3QKN4ML2UXU5J",
        "4PKOQHGEQAZWYZLHPUZ75IZAUX",
    ]


async def test_a_key_is_not_spent_by_a_call_that_never_was(world: World) -> None:
    with calling("parent-key"):
        with pytest.raises(TypeError):
            await world.stub.add_book()
        await world.stub.add_book(FREE)
    spent = world.shelves.keys
    with calling("parent-key"):
        await world.stub.add_book(FREE)
    assert spent[0] == spent[1]


async def test_the_user_travels(world: World) -> None:
    world.shelves.seen_accounts.clear()
    with calling():
        await world.stub.get_book("b1")
    assert world.shelves.seen_accounts == ["A"]


async def test_a_deadline_that_passed_refuses_before_anything_is_done(world: World) -> None:
    with calling(deadline=-1.0), pytest.raises(DeadlineExceeded):
        await world.stub.add_book(FREE)
    assert world.shelves.keys == []
    with calling(deadline=SystemClock().monotonic() + 60):
        assert (await world.stub.get_book("deadline")).title == "True"
