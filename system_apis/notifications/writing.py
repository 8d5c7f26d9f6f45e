"""The writing itself: templates (Jinja) and the forms of a language (Babel). Imported when a first letter is written.

The same template is filled twice: once as text, once as HTML with every value escaped. What a
filter gives (a link, a table, an address) has its form in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from system_apis.canonical.iso import CURRENCY_EXPONENTS
from system_apis.canonical.values import Address, Money
from system_apis.notifications.contents import Content, MessageLine

PAGE = Markup(
    '<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{subject}</title></head>\n'
    '<body style="font-family: sans-serif; line-height: 1.5; color: #222; max-width: 40em">\n{body}\n</body></html>\n'
)
CELL = "padding: 0.2em 1em 0.2em 0; text-align: left"


class Desk:
    """Fills templates out of ``folders``, the first that has one."""

    def __init__(self, folders: Sequence[Path], signature: str) -> None:
        self._text = _environment(folders, signature, html=False)
        self._html = _environment(folders, signature, html=True)

    def write(self, name: str, content: Content, language: str, asked: str) -> tuple[str, str, str]:
        """Subject, text and HTML of the template ``name``; ``asked`` may be a region of ``language``."""
        known = {"about": content, "locale": _locale(asked if asked.startswith(language) else language)}
        head, _, rest = self._text.get_template(name).render(known).strip().partition("\n")
        subject = " ".join(head.split())
        text = "\n\n".join(_paragraphs(rest)) + "\n"
        _, _, marked = self._html.get_template(name).render(known).strip().partition("\n")
        body = Markup("\n").join(_block(part) for part in _paragraphs(marked))
        return subject, text, str(PAGE.format(language=language, subject=subject, body=body))


def _environment(folders: Sequence[Path], signature: str, *, html: bool) -> Environment:
    made = Environment(
        loader=FileSystemLoader([str(folder) for folder in folders]),
        autoescape=html,  # noqa: S701 - the other form is plain text, where nothing is markup
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    filters, given = cast("dict[str, Any]", made.filters), cast("dict[str, Any]", made.globals)
    given["signature"] = signature
    filters.update(
        money=_money, day=_day, moment=_moment, number=_number, address=_address,
        link=_link_html if html else str, table=_table_html if html else _table_text,
    )  # fmt: skip
    return made


def _paragraphs(text: str) -> list[str]:
    parts = "\n".join(line.rstrip() for line in text.splitlines()).split("\n\n")
    return [part.strip("\n") for part in parts if part.strip()]


def _block(part: str) -> Markup:
    if part.startswith("<table"):
        return Markup(part)  # noqa: S704 - a value that begins so was escaped by the environment
    lines = "<br>\n".join(part.split("\n"))
    return Markup(f"<p>{lines}</p>")  # noqa: S704 - the environment has escaped every value


def _locale(tag: str) -> Locale:
    for known in (tag, tag.partition("-")[0]):
        try:
            return Locale.parse(known, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


@pass_context
def _money(context: Context, amount: Money) -> str:
    digits = CURRENCY_EXPONENTS[amount.currency]
    value = Decimal(amount.amount_minor).scaleb(-digits)
    return format_currency(value, amount.currency, locale=context["locale"])


@pass_context
def _day(context: Context, day: date) -> str:
    return format_date(day, format="long", locale=context["locale"])


@pass_context
def _moment(context: Context, at: datetime) -> str:
    return format_datetime(at.astimezone(UTC), format="long", locale=context["locale"], tzinfo=UTC)


@pass_context
def _number(context: Context, value: int) -> str:
    return format_decimal(value, locale=context["locale"])


@pass_context
def _address(context: Context, address: Address) -> str:
    locale: Locale = context["locale"]
    names = cast("Mapping[str, str]", locale.territories)
    country = names.get(address.country, address.country)
    city = " ".join(part for part in (address.postal_code, address.city) if part)
    lines = (address.name, address.street, city, address.region, country)
    return "\n".join(" ".join(line.split()) for line in lines if line)


@pass_context
def _table_text(context: Context, lines: Sequence[MessageLine]) -> str:
    return "\n".join("  ".join(part for part in row if part) for row in _rows(context, lines))


@pass_context
def _table_html(context: Context, lines: Sequence[MessageLine]) -> Markup:
    cell = Markup('<td style="{style}">{text}</td>')
    rows = (
        Markup("<tr>{cells}</tr>").format(cells=Markup("").join(cell.format(style=CELL, text=text) for text in row))
        for row in _rows(context, lines)
    )
    return Markup("<table>{rows}</table>").format(rows=Markup("").join(rows))


def _rows(context: Context, lines: Sequence[MessageLine]) -> list[tuple[str, ...]]:
    return [
        (
            f"{_number(context, line.quantity)} ×",
            line.sku,
            " ".join(line.name.split()),
            _day(context, line.expected_on) if line.expected_on else "",
        )
        for line in lines
    ]


def _link_html(link: str) -> Any:
    return Markup('<a href="{link}">{link}</a>').format(link=escape(link))
