"""The operations page: what waits and what is in trouble, as one document that needs nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from gateway.operations_page import OperationsPage
from governance.call import SystemClock
from governance.pages import STYLESHEET_PATH
from process_apis.exceptions.v1.service import Exceptions
from process_apis.timeline.v1.service import TimelineOfProcesses
from system_apis.notifications.v1.service import Notifications
from tests.process_apis.exceptions.errands import Town


class Outline(HTMLParser):
    """What a reader without a screen meets: elements that open and close, headings, and links outward."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in ("meta", "link", "br", "input"):
            self.open.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href") and tag != "a" and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    town = Town(tmp_path_factory.mktemp("page"), Notifications, Exceptions, TimelineOfProcesses)
    town.start()
    yield town
    town.stop()


def written(world: Town) -> str:
    page = OperationsPage(world.assembly, SystemClock())

    async def write() -> bytes:
        return await page()

    text = world.run(write()).decode()
    outline = Outline()
    outline.feed(text)
    assert outline.open == []
    assert outline.loads == [STYLESHEET_PATH]
    assert not {"script", "img", "iframe", "style"} & set(outline.seen)
    return text


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_it_says_so_when_nothing_is_wrong(world: Town) -> None:
    told = text_of(written(world))
    for words in ("Nothing waits for people.", "within its service level", "has its invoice", "knows what has left"):
        assert words in told
    assert "Supply planning" in told


def test_what_is_stuck_is_told_with_what_to_do_and_nothing_of_it_is_markup(world: Town) -> None:
    world.errands.words = "<b>closed</b> & gone"
    errand = world.send("bring")
    found: Any = world.stuck(errand, "bring")
    page = written(world)
    told = text_of(page)
    assert "<b>closed" not in page
    assert "stock : &lt;b&gt;closed&lt;/b&gt; &amp; gone" in told
    assert f"tiergate exceptions show {found['exception_id']}" in told
    assert f"tiergate trace {errand}" in told
    assert page.count("<details>") == 1


def test_it_is_written_within_a_screen_of_a_phone(world: Town) -> None:
    page = written(world)
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in page
    assert page.count("<table>") == page.count('class="scroll"')
