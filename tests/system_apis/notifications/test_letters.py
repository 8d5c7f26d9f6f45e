"""Every template in every language, with all its parameters and with the fewest; and a company's own ones."""

from __future__ import annotations

from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from jinja2 import UndefinedError
from msgspec.structs import replace

from governance.prove.samples import sample_value
from system_apis.canonical.values import Address, Money
from system_apis.notifications.contents import (
    ApprovalNeeded,
    Content,
    ExceptionEscalated,
    OrderCancelled,
    OrderConfirmed,
    OrderShipped,
    PaymentReminder,
    QuoteSent,
    SubscriptionDisabled,
    TemplateName,
)
from system_apis.notifications.letters import OWN, Letters, template_of

CONTENTS: tuple[Any, ...] = get_args(Content)
LANGUAGES = ("en", "de", "fr")
CHOICES = {
    "approval_needed": [{"subject": subject} for subject in ("order", "quote", "return")],
    "invoice_posted": [{"paid": paid} for paid in (True, False)],
    "payment_reminder": [{"stage": stage} for stage in (1, 2, 3)],
    "return_credited": [{"by": by} for by in ("account", "card")],
    "return_closed": [{"outcome": word} for word in ("refused", "cancelled", "expired", "rejected")],
}
"""Parameters by which a template's words differ."""


class Balanced(HTMLParser):
    """Reads HTML and remembers its words and links; raises where an element is closed that is not open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.links: list[str | None] = []
        self.elements: set[str] = set()
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


OURS = Letters("", "The desk")


def letters(folder: str = "") -> Letters:
    return Letters(folder, "The desk") if folder else OURS


def cases() -> list[Any]:
    return [
        pytest.param(kind, choice, whole, id=f"{template}-{index}-{'all' if whole else 'fewest'}")
        for kind in CONTENTS
        for template in [kind.__struct_config__.tag]
        for index, choice in enumerate(CHOICES.get(template, [{}]))
        for whole in (True, False)
    ]


def test_there_is_one_struct_for_each_template_and_one_template_for_each_struct() -> None:
    names = {kind.__struct_config__.tag for kind in CONTENTS}
    assert names == set(get_args(TemplateName)) == {folder.name for folder in OWN.iterdir()}
    for folder in OWN.iterdir():
        assert {file.stem for file in folder.iterdir()} == set(LANGUAGES), folder


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "choice", "whole"), cases())
def test_every_template_reads_well(kind: Any, choice: dict[str, Any], whole: bool, language: str) -> None:
    content = msgspec.convert({**sample_value(kind, whole=whole), **choice}, kind)
    letter = letters().write(content, language)
    assert (letter.template, letter.language) == (template_of(content), language)
    assert letter.subject and "\n" not in letter.subject and "  " not in letter.subject
    assert letter.text.endswith("\n\nThe desk\n")
    for part in (letter.subject, letter.text, letter.html):
        assert not any(sign in part for sign in ("{{", "{%", "None", "Undefined", "\n\n\n", " ,", " .\n")), part
    read = Balanced(letter.html)
    assert read.elements <= {"html", "head", "meta", "title", "body", "p", "br", "a", "table", "tr", "td"}
    assert read.links == [
        link for link in [getattr(content, "link", None), getattr(content, "tracking_link", None)] if link
    ]


def test_every_choice_of_words_differs() -> None:
    for kind in CONTENTS:
        for language in LANGUAGES:
            choices = CHOICES.get(kind.__struct_config__.tag, [{}])
            contents = [msgspec.convert({**sample_value(kind, whole=True), **choice}, kind) for choice in choices]
            texts = {letters().write(content, language).text for content in contents}
            assert len(texts) == len(choices)


def test_every_language_has_its_own_words() -> None:
    for kind in CONTENTS:
        content = msgspec.convert(sample_value(kind, whole=True), kind)
        assert len({letters().write(content, language).text for language in LANGUAGES}) == len(LANGUAGES)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["€1,234.50", "March 9, 2026", "Germany"]),
        ("de", ["1.234,50\xa0€", "9. März 2026", "Deutschland"]),
        ("de-AT", ["€\xa01.234,50", "9. März 2026", "Deutschland"]),
        ("fr", ["1\u202f234,50\xa0€", "9 mars 2026", "Allemagne"]),
    ],
)
def test_amounts_dates_and_countries_are_of_the_language(language: str, words: list[str]) -> None:
    content = OrderConfirmed(
        order_id="ord-1",
        order_reference="PO-1",
        total=Money(123_450, "EUR"),
        ship_to=Address(name="Goods in", street="Kai 1", city="Hamburg", country="DE", postal_code="20457"),
        expected_on=date(2026, 3, 9),
    )
    text = letters().write(content, language).text
    assert [word for word in words if word not in text] == []
    assert "20457 Hamburg" in text


def test_currencies_have_their_own_digits() -> None:
    def amount(minor: int, currency: str) -> str:
        content = PaymentReminder(invoice_id="I-1", stage=1, due=Money(minor, currency), due_on=date(2026, 1, 1))
        return letters().write(content, "en").text

    assert "¥1,234" in amount(1_234, "JPY")
    assert "KWD1.234" in amount(1_234, "KWD")


@pytest.mark.parametrize(
    ("asked", "found"), [("de-CH", "de"), ("fr-CA", "fr"), ("nl", "en"), ("zz", "en"), ("nl-BE", "en"), ("en-GB", "en")]
)
def test_a_language_that_is_missing_falls_back(asked: str, found: str) -> None:
    letter = letters().write(OrderCancelled(order_id="ord-1", order_reference="PO-1"), asked)
    assert letter.language == found


def test_moments_say_their_zone() -> None:
    content = ExceptionEscalated(
        exception_id="exc-1",
        queue="orders",
        subject_id="ord-1",
        step="ship",
        due_at=datetime(2026, 3, 9, 14, 30, tzinfo=UTC),
    )
    assert "14:30:00 UTC" in letters().write(content, "de").text


@pytest.mark.parametrize("words", ['<script>alert("x")</script>', "<table><tr>", "</p><a href='x'>", "&amp; & \"'"])
def test_words_are_words_and_no_markup(words: str) -> None:
    content = OrderCancelled(order_id="ord-1", order_reference="PO-1", reason=words)
    letter = letters().write(content, "en")
    assert words in letter.text
    read = Balanced(letter.html)
    assert words in "".join(read.words)
    assert not read.elements & {"script", "a", "table"}


def test_what_is_left_out_leaves_no_hole() -> None:
    asked = ApprovalNeeded(subject="return", subject_id="ret-1", decide_by=date(2026, 3, 9))
    assert asked.decide_by
    assert f"by March {asked.decide_by.day}, 2026" in letters().write(asked, "en").text
    assert "by" not in letters().write(replace(asked, decide_by=None), "en").text.split()
    since = datetime(2026, 3, 9, 14, 30, tzinfo=UTC)
    off = SubscriptionDisabled(
        subscription_id="sub-1", endpoint="https://a.example", failures=1_200, failing_since=since
    )
    assert off.failing_since
    assert f"failed 1,200 times since March {off.failing_since.day}, 2026" in letters().write(off, "en").text
    assert "failed 1,200 times. We" in letters().write(replace(off, failing_since=None), "en").text


def test_words_are_no_template() -> None:
    content = OrderCancelled(order_id="ord-1", order_reference="PO-1", reason="{{ 7 * 7 }}{% raise %}")
    assert "{{ 7 * 7 }}{% raise %}" in letters().write(content, "en").text


def test_a_link_is_a_link_in_html_and_itself_in_text() -> None:
    link = "https://shop.example/q?a=1&b='2"
    content = QuoteSent(quote_id="Q-1", total=Money(1, "EUR"), valid_until=date(2026, 1, 1), link=link)
    letter = letters().write(content, "en")
    assert f"\n\n{link}\n\n" in letter.text
    assert Balanced(letter.html).links == [link]


def test_a_company_has_templates_and_languages_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "order_shipped").mkdir()
    (tmp_path / "order_shipped" / "en.txt").write_text("Off it goes: {{ about.order_reference }}\nBye.\n")
    (tmp_path / "order_shipped" / "nl.txt").write_text(
        "Onderweg: {{ about.order_reference }}\nTot {{ about.expected_on | day }}.\n"
    )
    content = OrderShipped(order_id="o", order_reference="PO-1", shipment_id="s", expected_on=date(2026, 3, 9))
    own = letters(str(tmp_path))
    assert own.write(content, "en").subject == "Off it goes: PO-1"
    assert own.write(content, "nl-BE").text == "Tot 9 maart 2026.\n"
    assert own.write(content, "de").subject == "Ihre Bestellung PO-1 ist unterwegs"
    assert own.write(OrderCancelled(order_id="o", order_reference="PO-1"), "nl").language == "en"


def test_a_template_that_asks_for_what_nobody_gives_fails(tmp_path: Path) -> None:
    (tmp_path / "order_cancelled").mkdir()
    (tmp_path / "order_cancelled" / "en.txt").write_text("Cancelled\n{{ about.price }}\n")
    with pytest.raises(UndefinedError):
        letters(str(tmp_path)).write(OrderCancelled(order_id="o", order_reference="PO-1"), "en")
